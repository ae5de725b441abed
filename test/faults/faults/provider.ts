import { setTimeout as pause } from 'node:timers/promises'
import { newOrder } from '../../../demo/client/orders.ts'
import { readStock } from '../../../demo/client/stock.ts'
import { must, times, until, type Fault } from '../fault.ts'
import { deadlineMs } from '../shop.ts'

/** Whatever the payment provider does, and whether it responds or not, an order is paid at most once. */
export const provider: Fault = {
  name: 'provider',
  title:
    'The provider captures and never responds; responds twice; responds after the shop gave up; is killed; is down for a minute while someone reserves all stock',
  async run({ shop, traffic, injected, say }) {
    const buy = (card: string) =>
      traffic.place(undefined, newOrder([{ sku: 'MUG-RED', quantity: 1 }], card)).then(({ id }) => id)
    const silent = await times(4, () => buy('card_timeout'))
    const slow = await times(4, () => buy('card_slow'))
    // both cards are good: the shop retries until it knows what the provider did
    for (const id of [...silent, ...slow]) {
      const status = await traffic.decided(id)
      must(status === 'confirmed', `order ${id} is ${status} although its card is good`)
    }
    injected(8)

    const busy = traffic.run({ atOnce: 2, pauseMs: 250 })
    shop.links.provider.repeat()
    await pause(4_000)
    shop.links.provider.restore()
    const sandbox = () => shop.processes().find(({ name }) => name === 'payment-sandbox')!.pid
    // longer than the shop waits for a response
    await shop.frozen(sandbox(), () => pause(12_000))
    for (let n = 0; n < 3; n++) {
      process.kill(sandbox(), 'SIGKILL')
      await pause(1_500)
    }
    shop.links.provider.cut()
    // the stock of unpaid orders is released at their deadline, although the payment's state is unknown
    const sku = await traffic.newSku(20)
    const hoarded = await times(20, () => traffic.place(undefined, newOrder([{ sku, quantity: 1 }])))
    const available = async () => (await readStock(shop, sku)).available
    // customers may have cancelled some of the orders already
    await until('the stock is reserved', async () => (await available()) < 10)
    const taken = await traffic.ordersAreTaken(deadlineMs)
    await until('the stock is released', async () => (await available()) === 20)
    shop.links.provider.restore()
    injected(6 + hoarded.length)
    await busy.stop()
    say(`${taken}, while the provider was down for a minute`)
  },
}
