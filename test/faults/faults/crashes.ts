import { setTimeout as pause } from 'node:timers/promises'
import { crashAt, passed } from '../crash.ts'
import { must, type Context, type Fault } from '../fault.ts'
import { productOfYesterday } from './idempotency.ts'

/**
 * Places that this fault does not reach. They run once before the shop opens, or for a person. Others handle
 * a provider that contradicts itself: it has captured a payment that it reported as not captured, or it
 * refuses to refund a captured payment.
 */
const elsewhere =
  /functions\/(?:\w+\/seed|products\/schema-version)\.ts|events\/dead-letters\.ts|(?:void|refund)-payment\.ts/

/** A process is killed before or after any commit, publish, acknowledgement or call, and restarted. */
export const crashes = (most: number): Fault => ({
  name: 'crashes',
  title:
    'Crash at every point: kill -9 before and after each commit, publish, acknowledgement and outgoing call, and at the end of each transaction',
  async run(context) {
    const { shop, traffic, random, injected, say } = context
    // no more load than the shop can handle while its processes crash
    const busy = traffic.run({ atOnce: 3, pauseMs: 150 })
    await pause(8_000)
    await rare(context)
    const tried = new Map<string, number>()
    const crashed = new Set<string>()
    const ofProcess = new Map<string, number>()
    const times = (point: string) => tried.get(point) ?? 0
    let restarts = 0
    // chosen one by one, because a crash at one point may lead to a new point
    for (const until = performance.now() + most * 5_000; performance.now() < until && restarts < most;) {
      // the point with the fewest tries; of several, the one whose process has run longest without a try
      const [next] = random
        .shuffle(passed(context))
        .toSorted(
          (a, b) =>
            times(a) - times(b) || (ofProcess.get(processOf(a)) ?? 0) - (ofProcess.get(processOf(b)) ?? 0),
        )
      const point = next!
      ofProcess.set(processOf(point), performance.now())
      // a try counts even if the point is not reached, so that no point is tried for ever
      tried.set(point, times(point) + 1)
      // waits longer each time for a point that is rarely reached
      const withinMs = crashed.has(point) ? 1_000 : 1_000 * times(point) ** 2
      if ((await crashAt(context, point, { withinMs })) !== undefined) {
        restarts++
        crashed.add(point)
        injected()
      }
    }
    await busy.stop()
    const all = passed(context)
    const sites = shop.sites()
    const seen = new Set(all.map((point) => point.split(' | ')[1]))
    const unseen = sites.filter((site) => !seen.has(site) && !elsewhere.test(site))
    say(
      `${restarts} crashes, at ${crashed.size} of the ${all.length} points that were passed; ` +
        `${seen.size} of ${sites.length} places in the source${unseen.length === 0 ? '' : `, not ${unseen.join(', ')}`}`,
    )
    must(restarts >= (most < 500 ? most / 2 : 500), `only ${restarts} processes crashed`)
    // a short run does not have the time to reach every place
    must(most < 500 || unseen.length === 0, 'a place in the source was never reached')
    const never = all.filter((point) => !tried.has(point))
    must(most < 500 || never.length === 0, `never tried: ${never.join(', ')}`)
  },
})

const processOf = (point: string) => point.split(' | ')[0]!

/** Causes what the traffic does not: an invalid message, a failure that cannot be stored, an expired key. */
async function rare(context: Context) {
  const { shop } = context
  const connection = await shop.connectNats()
  await connection.jetstream().publish('zeroshop.order.placed', 'not an event')
  await connection.close()
  await shop.kill('postgres')
  await pause(500)
  await shop.revive('postgres')
  await productOfYesterday(context)
}
