import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { steadyLoad } from '../../load.ts'
import { must, times, until, type Fault } from '../fault.ts'

/** A process cuts off after 8 s what is in flight, such as a delivery that a slow card holds up, and ends. */
const graceMs = 10_000
/** How many are told at the same time. */
const toldAtOnce = 4

/** A process that is told to stop finishes what it has begun. */
export const toldToStop: Fault = {
  name: 'told-to-stop',
  title: 'SIGTERM to each process under load: no request fails, each ends within its grace period',
  async run({ shop, traffic, random, injected, say }) {
    const { token } = traffic.people[0]!
    traffic.calm()
    const busy = traffic.run({ atOnce: 2, pauseMs: 150 })
    const load = steadyLoad(
      async () => {
        // half of it changes something: that is never sent twice on its way
        const path = random.pick([
          '/products?limit=3',
          '/stock/MUG-BLUE',
          '/orders',
          'order',
          'order',
          'order',
        ])
        // throws where it is not accepted at the first attempt
        if (path === 'order') return traffic.placeAtOnce('card_approved').then(() => 201)
        const response = await shop.send(token, 'GET', path)
        await response.text()
        return response.status
      },
      { atOnce: 2 },
    )
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
          // it was idle, and is gone
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
