import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { steadyLoad } from '../../load.ts'
import { must, times, until, type Fault } from '../fault.ts'

/** After 8 s, a process cuts off requests in flight, such as a delivery with a slow card, and exits. */
const graceMs = 10_000
/** How many processes get SIGTERM at once. */
const toldAtOnce = 4

/** A process that gets SIGTERM finishes the requests that it has begun. */
export const toldToStop: Fault = {
  name: 'told-to-stop',
  title: 'SIGTERM to each process under load: no request fails, each ends within its grace period',
  async run({ shop, traffic, random, injected, say }) {
    const customer = traffic.people[0]!
    const query = { limit: 3 }
    // an order is accepted at the first attempt, or placing it throws
    const order = () => traffic.placeAtOnce('card_approved').then(() => ({ response: { status: 201 } }))
    // half of the requests change something, because a proxy never sends those twice
    const requests = [
      () => customer.GET('/products', { params: { query } }),
      () => customer.GET('/stock/{sku}', { params: { path: { sku: 'MUG-BLUE' } } }),
      () => customer.GET('/orders'),
      order,
      order,
      order,
    ]
    traffic.calm()
    const busy = traffic.run({ atOnce: 2, pauseMs: 150 })
    const load = steadyLoad(() => random.pick(requests)(), { atOnce: 2 })
    await pause(2_000)
    let slowest = 0
    const told = random.shuffle(shop.processes())
    const left = [...told]
    await times(toldAtOnce, async () => {
      for (let one = left.pop(); one !== undefined; one = left.pop()) {
        const { name, pid } = one
        const began = performance.now()
        try {
          process.kill(pid, 'SIGTERM')
        } catch {
          // the process was idle and has stopped already
          continue
        }
        await until(`${name} ends`, () => !existsSync(`/proc/${pid}`), graceMs)
        slowest = Math.max(slowest, performance.now() - began)
        injected()
      }
    })
    const statuses = await load.stop()
    await busy.stop()
    say(`${told.length} processes, the slowest took ${slowest.toFixed(0)} ms; ${JSON.stringify(statuses)}`)
    must(Object.keys(statuses).join() === '200,201', `requests failed: ${JSON.stringify(statuses)}`)
  },
}
