import { setTimeout as pause } from 'node:timers/promises'
import { newOrder } from '../../orders.ts'
import { must, times, until, type Fault } from '../fault.ts'
import { deadlineMs } from '../shop.ts'

/** Whatever the payment provider did and did not say, an order is paid once or not at all. */
export const provider: Fault = {
  name: 'provider',
  title:
    'The provider captures and never says so; answers twice; answers late, after we gave up; is killed; is down for a minute, in which someone hoards stock',
  async run({ shop, traffic, injected, say }) {
    const buy = (card: string) =>
      traffic.place(undefined, newOrder([{ sku: 'MUG-RED', quantity: 1 }], card)).then(({ id }) => id)
    const silent = await times(4, () => buy('card_timeout'))
    const slow = await times(4, () => buy('card_slow'))
    // both are good cards: we ask until we know what the provider did
    for (const id of [...silent, ...slow]) {
      const status = await traffic.decided(id)
      must(status === 'confirmed', `order ${id} is ${status}, and its card is good`)
    }
    injected(8)

    const busy = traffic.run({ atOnce: 2, pauseMs: 250 })
    shop.links.provider.repeat()
    await pause(4_000)
    shop.links.provider.restore()
    const sandbox = () => shop.processes().find(({ name }) => name === 'payment-sandbox')!.pid
    // longer than we wait for an answer
    await shop.frozen(sandbox(), () => pause(12_000))
    for (let n = 0; n < 3; n++) {
      process.kill(sandbox(), 'SIGKILL')
      await pause(1_500)
    }
    shop.links.provider.cut()
    // stock that is ordered and never paid for comes back by the deadline, though nobody can say what became of the payment
    const sku = await traffic.newSku(20)
    const hoarded = await times(20, () => traffic.place(undefined, newOrder([{ sku, quantity: 1 }])))
    const available = async () =>
      (await shop.call(undefined, 'GET', `/stock/${sku}`)).body.available as number
    // some of it may be given back already, by people who cancel
    await until('the stock is reserved', async () => (await available()) < 10)
    const taken = await traffic.ordersAreTaken(deadlineMs)
    await until('the stock is given back', async () => (await available()) === 20)
    shop.links.provider.restore()
    injected(6 + hoarded.length)
    await busy.stop()
    say(`${taken}, while it was down for a minute`)
  },
}
