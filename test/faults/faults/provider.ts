import { setTimeout as pause } from 'node:timers/promises'
import { newOrder } from '../../orders.ts'
import { times, type Fault } from '../fault.ts'

/** Whatever the payment provider did and did not say, an order is paid once or not at all. */
export const provider: Fault = {
  name: 'provider',
  title:
    'The provider captures and never says so; answers twice; answers late, after we gave up; is killed; is down for a minute',
  async run({ shop, traffic, injected, say }) {
    const buy = (card: string) =>
      traffic.place(undefined, newOrder([{ sku: 'MUG-RED', quantity: 1 }], card)).then(({ id }) => id)
    const silent = await times(4, () => buy('card_timeout'))
    const slow = await times(4, () => buy('card_slow'))
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
    const before = traffic.promised.orders.size
    await pause(60_000)
    const accepted = traffic.promised.orders.size - before
    shop.links.provider.restore()
    injected(6)
    await busy.stop()
    say(`${accepted} orders accepted while it was down for a minute`)
    for (const id of [...silent, ...slow]) await traffic.decided(id)
  },
}
