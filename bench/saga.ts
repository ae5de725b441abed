import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '../demo/client/client.ts'
import { placeOrder } from '../demo/client/orders.ts'
import { shopClient } from '../demo/client/shop.ts'
import { readTimeline } from '../demo/client/timeline.ts'
import type { System } from '../local/system.ts'
import { median, p95, p99 } from './harness.ts'
import { mug } from './shop.ts'
import type { Result } from './result.ts'

const orders = 160
/** The number of orders that are not measured, which start the processes. */
const warmUp = 10

/** Measures the time from `order.placed` to `order.confirmed` with warm functions, one order at a time. */
export async function saga(system: System): Promise<Result[]> {
  const customer = await shopClient(system.url).register()
  const times: number[] = []
  for (let n = 0; n < orders; n++) {
    const ms = await confirmedIn(customer)
    if (n >= warmUp) times.push(ms)
  }
  const p50 = median(times)
  return [
    {
      what: 'placed → confirmed, warm',
      ours: `p50 ${p50.toFixed(0)} ms, p95 ${p95(times).toFixed(0)} ms, p99 ${p99(times).toFixed(0)} ms`,
      against: '',
      ratio: '',
      goal: 'p50 ≤ 18 ms, p99 ≤ 40 ms',
      met: p50 <= 18 && p99(times) <= 40,
    },
  ]
}

/** Places an order. Returns how long it took from placed to confirmed, in ms. */
export async function confirmedIn(customer: Client): Promise<number> {
  const { id } = await placeOrder(customer, mug)
  for (let tries = 0; tries < 500; tries++) {
    // polls rarely, so as not to slow down the order, as an open stream of the timeline would
    await pause(40)
    const timeline = await readTimeline(customer, id)
    const at = (type: string) => timeline.find((entry) => entry.type === type)?.at
    const end = at('order.confirmed')
    if (end !== undefined) return Date.parse(end) - Date.parse(at('order.placed')!)
  }
  throw new Error(`order ${id} was never confirmed`)
}
