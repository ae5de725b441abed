import { setTimeout as pause } from 'node:timers/promises'
import { newOrder } from '../../orders.ts'
import { times, type Fault } from '../fault.ts'

/** Whatever the payment provider did and did not say, an order is paid once or not at all. */
export const provider: Fault = {
  name: 'provider',
  title: 'The provider captures and never says so; answers late, after we gave up; stands still; is killed',
  async run({ shop, traffic, injected, say }) {
    const buy = (card: string) =>
      traffic.place(undefined, newOrder([{ sku: 'MUG-RED', quantity: 1 }], card)).then(({ id }) => id)
    const silent = await times(4, () => buy('card_timeout'))
    const slow = await times(4, () => buy('card_slow'))
    injected(8)

    const busy = traffic.run()
    const sandbox = () => shop.processes().find(({ name }) => name === 'payment-sandbox')!.pid
    await shop.frozen(sandbox(), () => pause(12_000))
    say('stood still for 12 s')
    for (let n = 0; n < 3; n++) {
      process.kill(sandbox(), 'SIGKILL')
      await pause(1_500)
    }
    injected(4)
    await busy.stop()
    for (const id of [...silent, ...slow]) await traffic.decided(id)
  },
}
