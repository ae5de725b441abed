import { setTimeout as pause } from 'node:timers/promises'
import { newOrder } from '../../../demo/client/orders.ts'
import { functions, type FunctionName } from '../../../functions/table.ts'
import { must, times, until, type Fault } from '../fault.ts'

const hour = 60 * 60 * 1000
const wrongForMs = 1_500
/** How many clocks are wrong at once. */
const wrongAtOnce = 4

/** A wrong clock in a process changes no deadline and no key, because those use the database's clock. */
export const clocks: Fault = {
  name: 'clocks',
  title: 'The clock of each process an hour slow and, if it accepts no access tokens, an hour fast',
  clockErrorMs: 2 * hour,
  async run({ shop, traffic, random, injected, say }) {
    // with its clock ahead, a process refuses access tokens as expired, which is right
    const takesTokens = (name: string) =>
      Object.hasOwn(functions, name) && 'by' in functions[name as FunctionName]
    const busy = traffic.run({ atOnce: 2 })
    const all = ['relay', 'dispatcher', ...Object.keys(functions)]
    // twice, in case a process was not running the first time
    const left = [...random.shuffle(all), ...random.shuffle(all)]
    const done = new Set<string>()
    await times(wrongAtOnce, async () => {
      for (let name = left.pop(); name !== undefined; name = left.pop()) {
        if (done.has(name)) continue
        for (const offset of takesTokens(name) ? [-hour] : [-hour, hour]) {
          shop.setClock(name, offset)
          await pause(wrongForMs)
          if (!shop.runsAt(name, offset)) continue
          injected()
          done.add(name)
        }
        shop.setClock(name, 0)
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
    // the traffic calls about half of them
    must(done.size > all.length / 3, `these functions were not called: ${missed}`)
    say(`${done.size} of ${all.length} kinds of processes; not called in time: ${missed || 'none'}`)
  },
}
