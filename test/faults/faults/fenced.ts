import { setTimeout as pause } from 'node:timers/promises'
import { newOrder } from '../../orders.ts'
import { must, times, type Fault } from '../fault.ts'

/** A reaction that stands still beyond the time that JetStream waits, and goes on: its late work has no effect. */
export const fenced: Fault = {
  name: 'fenced',
  title: 'A reaction stopped past ack_wait, and resumed',
  async run({ shop, traffic, random, injected, say }) {
    const name = random.pick(['reserve-stock', 'authorize-payment', 'confirm-order'] as const)
    // it runs
    const { id } = await traffic.place(
      undefined,
      newOrder([{ sku: 'MUG-RED', quantity: 1 }], 'card_approved'),
    )
    await traffic.decided(id)
    const pid = shop.processes().find((one) => one.name === name)?.pid
    must(pid !== undefined, `${name} does not run`)
    const orders = await shop.frozen(pid, async () => {
      const placed = await times(10, () =>
        traffic.place(undefined, newOrder([{ sku: 'MUG-RED', quantity: 1 }], 'card_approved')),
      )
      await pause(33_000)
      return placed
    })
    injected()
    for (const { id } of orders) await traffic.decided(id)
    say(`${name} stood still for 33 s`)
  },
}
