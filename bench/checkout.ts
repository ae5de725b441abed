import { setTimeout as pause } from 'node:timers/promises'
import { checkoutOf, putIntoCart, readCart } from '../demo/client/carts.ts'
import type { Client } from '../demo/client/client.ts'
import { good } from '../demo/client/good.ts'
import { expecting, newOrder, readPrices } from '../demo/client/orders.ts'
import { shopClient } from '../demo/client/shop.ts'
import { readTimeline } from '../demo/client/timeline.ts'
import type { System } from '../local/system.ts'
import { median, p95 } from './harness.ts'
import { mug } from './shop.ts'
import type { Result } from './result.ts'

/** Each checks out a few times: a cart remembers its attempts, so that one which is checked out all day grows. */
const customers = 22
const rounds = 5 * customers
/** The number of rounds that are not measured, which start the processes. */
const warmUp = 10

/**
 * Measures the time from the request to `order.confirmed`, by turns of a checkout and of an order without a cart, with
 * warm functions and one order at a time.
 */
export async function checkout(system: System): Promise<Result[]> {
  const registered: Client[] = []
  for (let n = 0; n < customers; n++) registered.push(await shopClient(system.url).register())
  const [{ sku, quantity }] = mug as [(typeof mug)[number]]
  const order = expecting(newOrder(mug), await readPrices(registered[0]!, [sku]))
  const times = { checkout: [] as number[], order: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    const customer = registered[round % customers]!
    await putIntoCart(customer, sku, quantity)
    const body = checkoutOf((await readCart(customer)).subtotal!)
    const ofCheckout = await confirmedIn(customer, () =>
      good(customer.POST('/carts/current/checkout', { body })),
    )
    const ofOrder = await confirmedIn(customer, () => good(customer.POST('/orders', { body: order })))
    if (round < warmUp) continue
    times.checkout.push(ofCheckout)
    times.order.push(ofOrder)
  }
  const ratio = median(times.checkout) / median(times.order)
  const describe = (of: number[]) => `p50 ${median(of).toFixed(0)} ms, p95 ${p95(of).toFixed(0)} ms`
  return [
    {
      what: 'checkout → confirmed, warm',
      ours: describe(times.checkout),
      against: `${describe(times.order)} create-order → confirmed`,
      ratio: `${ratio.toFixed(2)} ×`,
      goal: 'p50 ≤ 1.3 ×',
      met: ratio <= 1.3,
    },
  ]
}

/** Places an order. Returns how long it took from the request until it was confirmed, in ms. */
async function confirmedIn(customer: Client, place: () => Promise<{ id: string }>): Promise<number> {
  const began = Date.now()
  const { id } = await place()
  for (let tries = 0; tries < 500; tries++) {
    // polls rarely, so as not to slow down the order
    await pause(40)
    const confirmed = (await readTimeline(customer, id)).find(({ type }) => type === 'order.confirmed')
    if (confirmed !== undefined) return Date.parse(confirmed.at) - began
  }
  throw new Error(`order ${id} was never confirmed`)
}
