/** Simulates people in a shop: random but repeatable. Each part records what the shop promised. */
import { setTimeout as pause } from 'node:timers/promises'
import { check, type Books, type Finding } from '../checker.ts'
import type { Random } from '../random.ts'
import { deadlineMs, type FaultShop } from '../shop.ts'
import { createCarts } from './carts.ts'
import { createChange } from './change.ts'
import { createOrders } from './orders.ts'
import { createProducts } from './products.ts'
import { createRefunds } from './refunds.ts'
import { createReturns } from './returns.ts'
import { createReviews } from './reviews.ts'
import { at, openScene, skus } from './scene.ts'
import { settle } from './settle.ts'
import { createVisit } from './visit.ts'
import { createWebhooks } from './webhooks.ts'

const slackMs = 60_000

export type Traffic = Awaited<ReturnType<typeof openTraffic>>

export async function openTraffic(shop: FaultShop, random: Random, { customers = 3 } = {}) {
  const { scene, strange, calm } = await openScene(shop, random, customers)
  const { promised, people, staff, seller } = scene
  const change = createChange(scene)
  const orders = createOrders(scene)
  const { checkOut } = createCarts(scene, orders)
  const { refund, giveBack } = createRefunds(scene, orders)
  const { sendBack } = createReturns(scene, orders)
  const { receive, addProduct, newSku, offer, sellOut } = createProducts(scene, orders, change)
  const { review, reviewOnce } = createReviews(scene, change)
  const visit = createVisit(scene, change)
  const { replay } = createWebhooks(scene)
  for (const sku of skus) await receive(sku, 1_000_000)

  async function changeNote() {
    const { id, who } = orders.anyOrder()
    await change(
      () => who.GET('/orders/{id}', at(id)),
      (header) =>
        who.PATCH('/orders/{id}', {
          params: { path: { id }, header },
          body: { note: `Note ${random.below(1_000)}` },
        }),
    )
  }

  async function step() {
    const chance = orders.isEmpty() ? 0 : random.next()
    if (chance < 0.34) await orders.place()
    else if (chance < 0.42) await checkOut()
    else if (chance < 0.48) await orders.cancel()
    else if (chance < 0.78) await orders.shipSome()
    else if (chance < 0.83) await refund()
    else if (chance < 0.86) await sendBack()
    else if (chance < 0.87) await replay()
    else if (chance < 0.9) await receive(random.pick(skus), 1 + random.below(9))
    else if (chance < 0.92) await offer()
    else if (chance < 0.94) await sellOut()
    else if (chance < 0.96) await visit()
    else if (chance < 0.98) await review()
    else await changeNote()
  }

  const running = new Set<AbortController>()

  /**
   * Runs random actions until it is stopped.
   * @param atOnce the number of people who act at the same time
   * @param pauseMs the pause between two actions of one person
   * @returns `stop`, which resolves once the last request has been answered
   */
  function run({ atOnce = 4, pauseMs = 50 } = {}) {
    const stopping = new AbortController()
    const loop = async () => {
      while (!stopping.signal.aborted) {
        await step()
        await pause(pauseMs)
      }
    }
    const loops = Promise.allSettled(Array.from({ length: atOnce }, loop))
    running.add(stopping)
    return {
      stop: async () => {
        stopping.abort()
        for (const one of await loops) if (one.status === 'rejected') throw one.reason
      },
    }
  }

  /** Checks every invariant, once every order has ended. */
  async function verify({ withinMs = 180_000, clockErrorMs = 0, brokerAwayMs = 0 } = {}): Promise<Finding[]> {
    const { books, isSettled } = await settledBooks(withinMs)
    const findings = check(books, promised, {
      deadlineMs,
      slackMs: slackMs + clockErrorMs + brokerAwayMs,
    })
    if (!isSettled)
      findings
        .find(({ name }) => name === 'I3')
        ?.violations.push(`not everything had ended after ${withinMs} ms`)
    findings.find(({ name }) => name === 'I5')?.violations.push(...strange)
    return findings
  }

  /** Reads the books once every order has ended. An order's deadline may come just before; then it waits again. */
  async function settledBooks(withinMs: number): Promise<{ books: Books; isSettled: boolean }> {
    for (;;) {
      const isSettled = await settle(scene, orders, withinMs)
      const books = await shop.books()
      if (!isSettled || books.outbox.every(({ settled }) => settled)) return { books, isSettled }
    }
  }

  return {
    promised,
    people,
    staff,
    seller,
    /** The code of a coupon that any order may have. */
    coupon: scene.coupons[0]!,
    ...orders,
    refund,
    giveBack,
    reviewOnce,
    newSku,
    addProduct,
    run,
    calm,
    /** Stops all actions, even after a fault that the shop did not withstand. */
    close: () => {
      for (const one of running) one.abort()
    },
    verify,
  }
}
