import { setTimeout as pause } from 'node:timers/promises'
import { newOrder } from '../../../demo/client/orders.ts'
import { functions, type FunctionName } from '../../../functions/table.ts'
import { must, times, until, type Fault } from '../fault.ts'

const hour = 60 * 60 * 1000
const wrongForMs = 1_500
/** How many clocks are wrong at once. */
const wrongAtOnce = 4

/** A process's wrong clock moves no deadline and no key, since those go by the database's clock. */
export const clocks: Fault = {
  name: 'clocks',
  title: 'The clock of each process an hour back, and, where it takes no access tokens, an hour on',
  clockErrorMs: 2 * hour,
  async run({ shop, traffic, random, injected, say }) {
    // with its clock ahead, a process that takes access tokens refuses them as expired, which is right
    const takesTokens = (name: string) =>
      Object.hasOwn(functions, name) && 'by' in functions[name as FunctionName]
    const busy = traffic.run({ atOnce: 2 })
    const all = ['relay', 'dispatcher', ...Object.keys(functions)]
    // twice, for processes that did not run the first time
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
      must((await traffic.decided(id)) !== 'cancelled', `order ${id} was cancelled, and could have been paid`)
    const customer = shop.as(await traffic.people[0]!.token())
    // an order of nothing is refused, so none is placed
    const answer = async () => (await customer.POST('/orders', { body: newOrder([]) })).response.status
    shop.setClock('create-order', hour)
    await until(
      'create-order refuses a token that has expired by its clock',
      async () => (await answer()) === 401,
    )
    shop.setClock('create-order', 0)
    await until('create-order takes it again', async () => (await answer()) === 400)
    // a function without requests is not started
    const missed = all.filter((name) => !done.has(name)).join(', ')
    must(done.has('relay') && done.has('dispatcher'), 'a service has no clock')
    must(done.size > all.length / 2, `nobody asked for ${missed}`)
    say(`${done.size} of ${all.length} kinds of processes; not asked for in time: ${missed || 'none'}`)
  },
}
