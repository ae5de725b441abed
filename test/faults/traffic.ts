/** What people do in a shop, by chance but repeatably; each keeps what it was promised. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Collection } from 'mongodb'
import type { Sql } from 'postgres'
import { demoPassword } from '../../local/people.ts'
import { newOrder } from '../orders.ts'
import type { Order, OrderStatus } from '../../functions/orders/order.ts'
import { check, promisedSince, type Finding } from './checker.ts'
import { times } from './fault.ts'
import type { Random } from './random.ts'
import { deadlineMs, type FaultShop } from './shop.ts'

/** How long a customer tries the same thing again, in ms. */
const patienceMs = 150_000
const slackMs = 60_000

const skus = ['MUG-BLUE', 'MUG-RED', 'KIT-PUNCTURE', 'TOOL-HEX-SET'] as const
/** How often each card is used, of 100. `card_slow` and `card_timeout` take long, and so are rare. */
const cards = [
  ...Array<string>(70).fill('card_approved'),
  ...Array<string>(10).fill('card_declined'),
  ...Array<string>(5).fill('card_insufficient_funds'),
  ...Array<string>(8).fill('card_capture_fails'),
  ...Array<string>(6).fill('card_flaky'),
  'card_timeout',
]

interface Person {
  id: string
  token: string
}

/** An order, and whose it is. */
interface Placed {
  id: string
  who: Person
}

export type Traffic = Awaited<ReturnType<typeof openTraffic>>

export async function openTraffic(shop: FaultShop, random: Random, { customers = 3 } = {}) {
  const promised = promisedSince(await shop.books())
  /** Everybody's latest access token, by the first one that they had: each lasts for a quarter of an hour. */
  const latest = new Map<string, { token: string; renew: () => Promise<string> }>()
  const enter = async (email: string, password: string) => {
    const renew = () => shop.logIn(email, password)
    const token = await renew()
    latest.set(token, { token, renew })
    return token
  }
  async function fresh(token: string | undefined): Promise<string | undefined> {
    const known = token === undefined ? undefined : latest.get(token)
    if (known === undefined) return token
    if (claimsOf(known.token).exp * 1000 < Date.now() + 60_000)
      // who cannot log in just now does so next time
      known.token = await known.renew().catch(() => known.token)
    return known.token
  }
  const people = await Promise.all(
    Array.from({ length: customers }, async () => {
      const [email, password] = [`${randomUUID()}@example.com`, randomUUID()]
      await shop.call(undefined, 'POST', '/users', { email, password, name: 'Ada' })
      const token = await enter(email, password)
      return { token, id: claimsOf(token).sub }
    }),
  )
  const [staff, seller] = await Promise.all([
    enter('staff@example.com', demoPassword),
    enter('seller@example.com', demoPassword),
  ])
  for (const sku of skus) await adjust(sku, 1_000_000)
  let steps = 0
  /** What was answered 500: nothing that fails around a function is a reason for that. */
  const strange: string[] = []
  /** Whether nothing may break off, as no process dies: then 502 is strange, too. */
  let isCalm = false
  /** What goes on until it is told to stop. */
  const running = new Set<AbortController>()
  /** Every order of this run, and whose it is. */
  const placed: Placed[] = []
  /** Those that staff have not taken up, oldest first. */
  const unshipped: Placed[] = []
  /** Orders whose card is good. */
  const payable = new Set<string>()

  /** Sends a request until it is answered, whatever becomes of the shop meanwhile: always with the same key. */
  async function insist(
    token: string | undefined,
    method: string,
    path: string,
    body?: unknown,
    { key = randomUUID(), headers }: { key?: string; headers?: Record<string, string> } = {},
  ) {
    const until = performance.now() + patienceMs
    let last = ''
    while (performance.now() < until) {
      const response = await shop
        .send(await fresh(token), method, path, body, key, headers)
        .catch((error: unknown) => {
          last = String(error)
          if (isCalm) strange.push(`${method} ${path} was not answered: ${last}`)
        })
      if (response !== undefined) {
        const text = await response.text().catch((error: unknown) => {
          last = String(error)
        })
        const again =
          response.status >= 500 || response.status === 429 || text?.includes('in-flight') === true
        const etag = response.headers.get('etag') ?? ''
        if (text !== undefined && !again) return { status: response.status, text, etag }
        last = `${response.status} ${text ?? ''}`
        if (response.status === 500 || (isCalm && response.status === 502))
          strange.push(
            `${method} ${path} was answered ${last} (X-Request-Id ${response.headers.get('x-request-id')})`,
          )
      }
      await pause(100)
    }
    throw new Error(`${method} ${path} was not answered within ${patienceMs} ms: ${last}`)
  }

  async function place(who = random.pick(people), body = order(), key: string = randomUUID()) {
    const { status, text } = await insist(who.token, 'POST', '/orders', body, { key })
    if (status !== 201) throw new Error(`an order was answered ${status}: ${text}`)
    const { id } = JSON.parse(text) as { id: string }
    const known = promised.orders.get(key)
    if (body.payment.cardToken === 'card_approved') payable.add(id)
    if (known === undefined) promise(who, key, text)
    else known.bodies.add(text)
    // a client that is not sure asks again
    if (known === undefined && random.next() < 0.3) await place(who, body, key)
    return { id, who }
  }

  /** Places an order that is accepted at once, without asking again; answers how long that took, in ms. */
  async function placeAtOnce(card?: string): Promise<number> {
    const [who, key] = [random.pick(people), randomUUID()]
    const began = performance.now()
    const response = await shop.send(await fresh(who.token), 'POST', '/orders', order(card), key)
    const text = await response.text()
    if (response.status !== 201) throw new Error(`an order was answered ${response.status}: ${text}`)
    promise(who, key, text)
    return performance.now() - began
  }

  /** Has someone order for so many ms: each is accepted at once. Tells how many, and of the slowest. */
  async function ordersAreTaken(forMs: number): Promise<string> {
    const took: number[] = []
    for (const end = performance.now() + forMs; performance.now() < end; await pause(1_000))
      took.push(await placeAtOnce())
    return `${took.length} orders accepted at the first attempt, the slowest in ${Math.max(...took).toFixed(0)} ms`
  }

  /** Keeps the first answer to an order. */
  function promise(who: Person, key: string, text: string) {
    const order = JSON.parse(text) as Order
    promised.orders.set(key, { customerId: who.id, status: 201, bodies: new Set([text]), order })
    const one = { id: order.id, who }
    placed.push(one)
    unshipped.push(one)
  }

  function order(card: string = random.pick(cards)) {
    const lines = Array.from({ length: 1 + random.below(3) }, () => ({
      sku: random.pick(skus),
      quantity: 1 + random.below(3),
    }))
    return newOrder(lines, card)
  }

  const anyOrder = () => random.pick(placed)

  async function cancel({ id, who }: Placed = anyOrder()) {
    const { status } = await insist(who.token, 'POST', `/orders/${id}/cancellation`, {})
    if (status === 200) promised.cancelled.add(id)
  }

  async function ship({ id }: { id: string } = unshipped.shift() ?? anyOrder()) {
    await insist(staff, 'GET', `/orders/${id}/timeline`)
    const { status } = await insist(staff, 'POST', `/orders/${id}/shipment`, {})
    if (status === 200) promised.shipped.add(id)
  }

  async function refund({ id: orderId, who }: Placed = anyOrder()) {
    const { text } = await insist(who.token, 'GET', `/payments?orderId=${orderId}`)
    const [payment] = (JSON.parse(text) as { items: { id: string; status: string }[] }).items
    if (payment?.status !== 'captured') return
    await insist(staff, 'GET', `/payments/${payment.id}`)
    await giveBack(orderId, payment.id, { amount: 1 + random.below(300), reason: 'scratched' })
  }

  /** Refunds a part of a payment, if there is as much left of it. */
  async function giveBack(orderId: string, paymentId: string, body: object, key: string = randomUUID()) {
    const { status, text } = await insist(staff, 'POST', `/payments/${paymentId}/refunds`, body, { key })
    if (status !== 201) return
    const { id, amount } = JSON.parse(text) as { id: string; amount: number }
    promised.refunds.set(id, { orderId, amount })
  }

  async function adjust(sku: string, quantity: number) {
    const { status, text } = await insist(staff, 'POST', `/stock/${sku}/adjustments`, {
      quantity,
      reason: 'received',
    })
    if (status !== 201) throw new Error(`stock was answered ${status}: ${text}`)
    const { adjustment } = JSON.parse(text) as {
      adjustment: { id: string; sku: string; quantity: number }
    }
    promised.adjustments.set(adjustment.id, adjustment)
  }

  async function addProduct(key: string = randomUUID()) {
    const sku = `FAULT-${randomUUID().slice(0, 8).toUpperCase()}`
    const body = {
      sku,
      name: `Thing ${sku}`,
      description: 'Made while something failed',
      category: 'faults',
      price: { amount: 100 + random.below(900), currency: 'EUR' },
    }
    const { status, text } = await insist(seller, 'POST', '/products', body, { key })
    if (status !== 201) throw new Error(`a product was answered ${status}: ${text}`)
    const product = JSON.parse(text) as { id: string; sku: string }
    promised.products.set(product.id, product)
    return product
  }

  /** Changes what is there, as it is known; what was changed or deleted meanwhile is left as it is. */
  async function change(token: string, path: string, body: object) {
    const { status, etag } = await insist(token, 'GET', path)
    if (status !== 200) return
    const changed = await insist(token, 'PATCH', path, body, { headers: { 'if-match': etag } })
    const { id } = JSON.parse(changed.text) as { id: string }
    if (changed.status === 200)
      promised.versions.set(id, Math.max(versionOf(changed.etag), promised.versions.get(id) ?? 0))
  }

  /** A product is made, sold at once, changed, and taken off the shop. */
  async function offer() {
    const sku = await newSku(5)
    await place(undefined, newOrder([{ sku, quantity: 1 }], 'card_approved'))
    const product = await addProduct()
    await change(seller, `/products/${product.id}`, { name: `Thing ${steps}` })
    const { status } = await insist(seller, 'DELETE', `/products/${product.id}`)
    // whose answer was lost is told that it is gone
    if (status !== 204 && status !== 404) return
    promised.products.delete(product.id)
    promised.versions.delete(product.id)
    promised.withdrawn.add(product.id)
  }

  /** Someone registers, comes and goes, and leaves for good. */
  async function visit() {
    const email = `${randomUUID()}@example.com`
    const password = randomUUID()
    const registered = await insist(undefined, 'POST', '/users', { email, password, name: 'Ada' })
    if (registered.status !== 201) throw new Error(`a user was answered ${registered.status}`)
    const { id } = JSON.parse(registered.text) as { id: string }
    promised.registered.add(id)
    const logIn = () => insist(undefined, 'POST', '/sessions', { email, password })
    const entered = async () => {
      const { status, text } = await logIn()
      if (status !== 201) throw new Error(`someone who is registered was answered ${status}: ${text}`)
      return JSON.parse(text) as { refreshToken: string; accessToken: string }
    }
    const first = await entered()
    await insist(undefined, 'POST', '/sessions/refresh', { refreshToken: first.refreshToken })
    await change(first.accessToken, `/users/${id}`, { name: `Ada ${steps}` })
    const { accessToken } = await entered()
    if (random.next() < 0.5) return insist(accessToken, 'DELETE', '/sessions/current')
    const left = await insist(accessToken, 'DELETE', `/users/${id}`)
    // a token of a process whose clock is wrong may be refused, and one of someone who has left is
    if (left.status !== 204) return undefined
    promised.left.add(id)
    // wrong log-ins from one address are counted
    if (random.next() < 0.7) return undefined
    const after = await logIn()
    if (after.status !== 401) throw new Error(`someone who left was answered ${after.status}: ${after.text}`)
    return undefined
  }

  async function step() {
    steps++
    const chance = placed.length === 0 ? 0 : random.next()
    if (chance < 0.42) await place()
    else if (chance < 0.48) await cancel()
    else if (chance < 0.78) await ship()
    else if (chance < 0.86) await refund()
    else if (chance < 0.9) await adjust(random.pick(skus), 1 + random.below(9))
    else if (chance < 0.94) await offer()
    else if (chance < 0.96) await visit()
    else {
      const { id, who } = anyOrder()
      await change(who.token, `/orders/${id}`, { note: `Note ${steps}` })
    }
  }

  /**
   * Has people come and go until it is told to stop.
   * @param pauseMs between what one of them does and the next thing
   * @returns once the last has been answered
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

  /** Waits until every order has come to its end: what is confirmed is shipped. Gives up so long after the last shipment. */
  const settle = ({ withinMs }: { withinMs: number }): Promise<boolean> =>
    shop.sql((sql) => shop.products((products) => settleBy(sql, products, withinMs)))

  async function settleBy(sql: Sql, products: Collection, withinMs: number) {
    let end = performance.now() + withinMs
    let left = ''
    while (performance.now() < end) {
      const waiting = await sql<{ id: string; status: string }[]>`
          select id, status from orders.orders where status not in ('completed', 'cancelled')`
      // one that was told to be shipped is not shipped again, or nobody would see that it was forgotten
      const confirmed = waiting.filter(
        ({ id, status }) => status === 'confirmed' && !promised.shipped.has(id),
      )
      const isMore = confirmed.length > 0
      const shipper = async () => {
        for (let one = confirmed.pop(); one !== undefined; one = confirmed.pop()) await ship(one)
      }
      await times(4, shipper)
      if (isMore) end = performance.now() + withinMs
      const [open] = await sql<
        { events: number; failures: number; payments: number; refunds: number }[]
      >`select
          (select count(*)::int from events.outbox where settled_at is null and due <= now()) as events,
          (select count(*)::int from events.failures where next_at is not null) as failures,
          (select count(*)::int from payments.payments where status in ('authorizing', 'capturing', 'voiding')) as payments,
          (select count(*)::int from payments.refunds where status = 'pending') as refunds`
      const uncollected = await products.countDocuments({ 'outbox.id': { $gt: '' } })
      const pending = { orders: waiting.length, ...open, products: uncollected }
      if (Object.values(pending).every((count) => count === 0)) return true
      left = JSON.stringify(pending)
      await pause(200)
    }
    console.error(`Not settled within ${withinMs} ms: ${left}`)
    return false
  }

  /** A product of a SKU of its own, with so much of it. */
  async function newSku(units: number): Promise<string> {
    const { sku } = await addProduct()
    await adjust(sku, units)
    return sku
  }

  /** @throws where there is no such order */
  async function statusOf(id: string): Promise<OrderStatus> {
    const { status, text } = await insist(staff, 'GET', `/orders/${id}`)
    if (status === 404) throw new Error(`order ${id} is not there`)
    return (JSON.parse(text) as Order).status
  }

  /** Waits until an order is confirmed or has ended. */
  async function decided(id: string): Promise<string> {
    const until = performance.now() + patienceMs
    let status = ''
    // ever more seldom, as hundreds may wait at once
    for (let wait = 50; performance.now() < until; wait = Math.min(1.5 * wait, 1_000)) {
      status = await statusOf(id)
      if (['confirmed', 'shipped', 'completed', 'cancelled'].includes(status)) return status
      await pause(wait)
    }
    throw new Error(`order ${id} is still ${status} after ${patienceMs} ms`)
  }

  return {
    promised,
    people,
    place,
    placeAtOnce,
    ordersAreTaken,
    /** Orders that can be paid and that nobody cancelled. */
    payable: () => [...payable].filter((id) => !promised.cancelled.has(id)),
    cancel,
    ship,
    refund,
    giveBack,
    newSku,
    addProduct,
    statusOf,
    decided,
    /** Keeps an order that someone was promised otherwise than by `place`. */
    promise,
    run,
    /** From now on no request may break off: whoever must end finishes what it has begun. */
    calm: () => (isCalm = true),
    /** Has everyone go home, also where a fault was not stood. */
    close: () => {
      for (const one of running) one.abort()
    },
    /** Every invariant, once all is settled. */
    verify: async ({ withinMs = 180_000, clockErrorMs = 0 } = {}): Promise<Finding[]> => {
      const isSettled = await settle({ withinMs })
      const findings = check(await shop.books(), promised, { deadlineMs, slackMs: slackMs + clockErrorMs })
      if (!isSettled)
        findings
          .find(({ name }) => name === 'I3')
          ?.violations.push(`not all that was begun had ended after ${withinMs} ms`)
      findings.find(({ name }) => name === 'I5')?.violations.push(...strange)
      return findings
    },
  }
}

/** Of an ETag. */
const versionOf = (etag: string) => Number(etag.replaceAll('"', ''))

/** Whose access token it is, and until when, in seconds. */
const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { sub: string; exp: number }
