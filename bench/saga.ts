import { setTimeout as pause } from 'node:timers/promises'
import type { System } from '../local/system.ts'
import { json, median, p95 } from './harness.ts'
import { customer, newOrder, type Shop } from './people.ts'
import type { Result } from './result.ts'

const orders = 60
/** The first ones start the processes. */
const warmUp = 10

interface Timeline {
  items: { type: string; at: string }[]
}

/** From `order.placed` to `order.confirmed` by the order's own timeline, with warm functions, one order at a time. */
export async function saga(system: System): Promise<Result[]> {
  const token = await customer(system)
  const times: number[] = []
  for (let n = 0; n < orders; n++) {
    const ms = await confirmedIn(system, token)
    if (n >= warmUp) times.push(ms)
  }
  const p50 = median(times)
  return [
    {
      what: 'placed → confirmed, warm',
      ours: `p50 ${p50.toFixed(0)} ms, p95 ${p95(times).toFixed(0)} ms`,
      against: '',
      ratio: '',
      goal: 'p50 ≤ 60 ms',
      met: p50 <= 60,
    },
  ]
}

/** Places an order; how long it took from placed to confirmed, in ms. */
export async function confirmedIn({ url }: Shop, token: string): Promise<number> {
  const { id } = await json<{ id: string }>(`${url}/api/v1/orders`, 'POST', token, newOrder())
  for (let tries = 0; tries < 500; tries++) {
    // asked seldom enough not to be what is measured
    await pause(40)
    const { items } = await json<Timeline>(`${url}/api/v1/orders/${id}/timeline`, 'GET', token)
    const at = (type: string) => items.find((entry) => entry.type === type)?.at
    const end = at('order.confirmed')
    if (end !== undefined) return Date.parse(end) - Date.parse(at('order.placed')!)
  }
  throw new Error(`order ${id} was never confirmed`)
}
