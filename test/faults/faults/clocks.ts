import { setTimeout as pause } from 'node:timers/promises'
import { functions, type FunctionName } from '../../../functions/functions.ts'
import { newOrder } from '../../orders.ts'
import { must, type Fault } from '../fault.ts'

const hour = 60 * 60 * 1000

/** Clocks that are wrong move no deadline and no key: those go by the database’s clock. */
export const clocks: Fault = {
  name: 'clocks',
  title: 'The clock of each process an hour back, and an hour on',
  clockErrorMs: 2 * hour,
  async run({ shop, traffic, random, injected, say }) {
    // who takes access tokens sees them expired an hour too soon, which is a clean refusal
    const takesTokens = (name: string) =>
      Object.hasOwn(functions, name) && 'by' in functions[name as FunctionName]
    const missed = new Set<string>()
    const busy = traffic.run({ atOnce: 2 })
    await pause(2_000)
    const all = new Set(shop.processes().map(({ name }) => name))
    // it goes by no clock: it writes none down and waits for none
    all.delete('payment-sandbox')
    // the dispatcher first: where it dies with a retry in hand, that is tried again after a minute, which is all that an order has
    const running = ['dispatcher', ...random.shuffle([...all].filter((name) => name !== 'dispatcher'))]
    for (const name of running)
      for (const offset of takesTokens(name) ? [-hour] : [-hour, hour]) {
        shop.setClock(name, offset)
        shop.killAll(name, 'SIGKILL')
        // a function that nobody asks is not started
        for (let tries = 0; tries < 40 && !shop.runsAt(name, offset); tries++) await pause(50)
        if (shop.runsAt(name, offset)) injected()
        else missed.add(name)
      }
    await busy.stop()
    for (const id of traffic.payable())
      must((await traffic.decided(id)) !== 'cancelled', `order ${id} was cancelled, and could have been paid`)
    shop.setClock('create-order', hour)
    shop.killAll('create-order', 'SIGKILL')
    const { token } = traffic.people[0]!
    const body = newOrder([{ sku: 'MUG-RED', quantity: 1 }])
    let status = 0
    for (let tries = 0; tries < 50 && status !== 401; tries++) {
      status = (await shop.send(token, 'POST', '/orders', body)).status
      must([401, 502, 503].includes(status), `with its clock an hour on, create-order answered ${status}`)
      await pause(100)
    }
    must(status === 401, 'create-order did not come back')
    shop.resetClocks()
    for (const name of running) shop.killAll(name, 'SIGKILL')
    must(!missed.has('relay') && !missed.has('dispatcher'), 'a service did not start again')
    must(missed.size < running.length / 2, `nobody asked for ${[...missed].join(', ')}`)
    say(`${running.length} processes; not asked for in time: ${[...missed].join(', ') || 'none'}`)
  },
}
