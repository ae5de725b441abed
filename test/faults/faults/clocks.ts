import { setTimeout as pause } from 'node:timers/promises'
import { newOrder } from '../../../demo/client/orders.ts'
import { functions, type FunctionName } from '../../../functions/table.ts'
import { must, times, until, type Fault } from '../fault.ts'

const hour = 60 * 60 * 1000
const wrongForMs = 1_500
/** How long to wait until the traffic has called enough functions, in ms. */
const mostMs = 400_000
/** How many clocks are wrong at once. */
const wrongAtOnce = 4

/** A wrong clock in a process changes no deadline and no key, because those use the database's clock. */
export const clocks: Fault = {
  name: 'clocks',
  title: 'The clocks of processes that run an hour slow and, if they accept no access tokens, an hour fast',
  clockErrorMs: 2 * hour,
  async run({ shop, traffic, random, injected, say }) {
    // with its clock ahead, a process refuses access tokens as expired, which is right
    const takesTokens = (name: string) =>
      Object.hasOwn(functions, name) && 'by' in functions[name as FunctionName]
    const busy = traffic.run({ atOnce: 2 })
    const all = ['relay', 'dispatcher', ...Object.keys(functions)]
    const done = new Set<string>()
    // one that was stopped meanwhile is tried once more
    const tries = new Map<string, number>()
    const underWay = new Set<string>()
    const next = () => {
      const running = new Set(shop.processes().map(({ name }) => name))
      const left = all.filter(
        (name) => running.has(name) && !done.has(name) && !underWay.has(name) && (tries.get(name) ?? 0) < 2,
      )
      return left.length === 0 ? undefined : random.pick(left)
    }
    // the traffic calls about half of them
    const enough = all.length / 3
    const end = performance.now() + mostMs
    await times(wrongAtOnce, async () => {
      while (performance.now() < end) {
        const name = next()
        if (name === undefined) {
          if (done.size > enough) return
          await pause(200)
          continue
        }
        underWay.add(name)
        tries.set(name, (tries.get(name) ?? 0) + 1)
        for (const offset of takesTokens(name) ? [-hour] : [-hour, hour]) {
          shop.setClock(name, offset)
          await pause(wrongForMs)
          if (!shop.runsAt(name, offset)) continue
          injected()
          done.add(name)
        }
        shop.setClock(name, 0)
        underWay.delete(name)
      }
    })
    await busy.stop()
    for (const id of traffic.payable())
      must(
        (await traffic.decided(id)) !== 'cancelled',
        `order ${id} was cancelled although it could have been paid`,
      )
    const customer = shop.as(await traffic.people[0]!.token())
    // an empty order is refused, so none is placed
    const answer = async () => (await customer.POST('/orders', { body: newOrder([]) })).response.status
    shop.setClock('create-order', hour)
    await until(
      'create-order refuses a token that has expired by its clock',
      async () => (await answer()) === 401,
    )
    shop.setClock('create-order', 0)
    await until('create-order accepts the token again', async () => (await answer()) === 400)
    // a function without requests is not started
    const missed = all.filter((name) => !done.has(name)).join(', ')
    must(done.has('relay') && done.has('dispatcher'), 'the clock of a service was not changed')
    must(done.size > enough, `these did not run meanwhile: ${missed}`)
    say(`${done.size} of ${all.length} kinds of processes; not running meanwhile: ${missed || 'none'}`)
  },
}
