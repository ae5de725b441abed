import { setTimeout as pause } from 'node:timers/promises'
import { connect } from 'nats'
import { crashAt, passed } from '../crash.ts'
import { must, type Context, type Fault } from '../fault.ts'
import { productOfYesterday } from './idempotency.ts'

/**
 * Places to which nothing here leads. They run once, before the shop opens, or for a person; or they guard against a
 * provider that takes its word back: it has captured what it said it had not, or refuses a refund of what it captured.
 */
const elsewhere =
  /functions\/(?:\w+\/seed|products\/schema-version)\.ts|events\/dead-letters\.ts|(?:void|refund)-payment\.ts/

/** A process dies with kill -9 before or after any commit, publish, acknowledgement or call, and is started again. */
export const crashes = (most: number): Fault => ({
  name: 'crashes',
  title:
    'Crash at every point: kill -9 before and after each commit, publish, acknowledgement and outgoing call, and at the end of each transaction',
  async run(context) {
    const { shop, traffic, random, injected, say } = context
    // no more than the shop can take beside its crashes
    const busy = traffic.run({ atOnce: 3, pauseMs: 150 })
    await pause(8_000)
    await rare(context)
    const tried = new Map<string, number>()
    const crashed = new Set<string>()
    const ofProcess = new Map<string, number>()
    const times = (point: string) => tried.get(point) ?? 0
    let restarts = 0
    // round by round, as points are passed for the first time that lie behind others
    for (const until = performance.now() + most * 5_000; performance.now() < until && restarts < most;) {
      // the point that had the fewest, of the process that was let alone for longest: so none is only being started
      const [next] = random
        .shuffle(passed(context))
        .toSorted(
          (a, b) =>
            times(a) - times(b) || (ofProcess.get(processOf(a)) ?? 0) - (ofProcess.get(processOf(b)) ?? 0),
        )
      const point = next!
      ofProcess.set(processOf(point), performance.now())
      // one that is not come to again counts as well, or it would be waited for for ever
      tried.set(point, times(point) + 1)
      // a rare one is waited for longer each time
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
    // a short run has not the time to come everywhere
    must(most < 500 || unseen.length === 0, 'a place in the source was never come to')
    const never = all.filter((point) => !tried.has(point))
    must(most < 500 || never.length === 0, `never tried: ${never.join(', ')}`)
  },
})

const processOf = (point: string) => point.split(' | ')[0]!

/** What people alone do not lead to: a message that is no event, a failure that cannot be stored, a key whose day is over. */
async function rare(context: Context) {
  const { shop } = context
  const connection = await connect({ servers: new URL(shop.links.nats.url).host })
  await connection.jetstream().publish('zeroshop.order.placed', 'not an event')
  await connection.close()
  await shop.kill('postgres')
  await pause(500)
  await shop.revive('postgres')
  await productOfYesterday(context)
}
