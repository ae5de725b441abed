import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { must, type Context, type Fault } from '../fault.ts'

/** Sites that no request leads to: they run once, before the shop opens, or for a person. */
const elsewhere = /functions\/(?:\w+\/seed|products\/schema-version)\.ts|events\/dead-letters\.ts/

/** A process dies with kill -9 before or after any commit, publish, acknowledgement or call, and is started again. */
export const crashes = (most: number): Fault => ({
  name: 'crashes',
  title:
    'Crash at every point: kill -9 before and after each commit, publish, acknowledgement and outgoing call',
  async run(context) {
    const { shop, traffic, random, injected, say } = context
    // no more than the shop can take beside its crashes
    const busy = traffic.run({ atOnce: 1 })
    await pause(8_000)
    const fired = new Set<string>()
    let missed = 0
    let restarts = 0
    // round by round, as points are passed for the first time that lie behind others
    for (const until = performance.now() + most * 2_000; performance.now() < until && restarts < most;) {
      const points = random.shuffle(passed(context))
      const next = points.find((point) => !fired.has(point)) ?? points[0]!
      if (await crashAt(context, next)) {
        fired.add(next)
        restarts++
        injected()
      } else missed++
    }
    await busy.stop()
    const sites = shop.sites()
    const seen = new Set(passed(context).map((point) => point.split(' | ')[1]))
    const unseen = sites.filter((site) => !seen.has(site) && !elsewhere.test(site))
    say(
      `${restarts} crashes at ${fired.size} points of ${passed(context).length} that were passed ` +
        `(${sites.length} sites in the source, ${unseen.length} not reached: ${unseen.join(', ') || 'none'}); ${missed} were not reached in time`,
    )
    must(fired.size > 0, 'no process crashed')
  },
})

const passed = ({ shop }: Context) => readdirSync(join(shop.points, 'passed')).map(decodeURIComponent)

/** Has the next process that comes to a point die there; tells whether one did within a few seconds. */
async function crashAt({ shop }: Context, point: string): Promise<boolean> {
  const armed = join(shop.points, 'armed')
  // whole or not at all
  writeFileSync(`${armed}.new`, point)
  renameSync(`${armed}.new`, armed)
  for (let tries = 0; tries < 150; tries++) {
    await pause(20)
    if (existsSync(join(shop.points, 'fired'))) {
      rmSync(join(shop.points, 'fired'))
      return true
    }
  }
  rmSync(armed, { force: true })
  return false
}
