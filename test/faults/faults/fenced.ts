import { setTimeout as pause } from 'node:timers/promises'
import { ackWaitMs } from '../../../events/jetstream.ts'
import { newOrder } from '../../../demo/client/orders.ts'
import { reactions } from '../../../functions/table.ts'
import { crashAt, passed } from '../crash.ts'
import { must, times, type Fault } from '../fault.ts'
import { deliver, streamed } from './deliveries.ts'

/** A reaction is suspended for longer than JetStream waits, then resumed. Its late work has no effect. */
export const fenced: Fault = {
  name: 'fenced',
  title:
    'A reaction suspended right before its commit until after ack_wait, while another process handles its events, then resumed',
  async run(context) {
    const { shop, traffic, random, injected, say } = context
    const name = random.pick(['reserve-stock', 'authorize-payment', 'confirm-order'] as const)
    const buy = () => traffic.place(undefined, newOrder([{ sku: 'MUG-RED', quantity: 1 }], 'card_approved'))
    const { id } = await buy()
    await traffic.decided(id)
    const second = await shop.startSecond(name)
    const point = random.pick(
      passed(context).filter((one) => one.startsWith(`${name} |`) && one.endsWith('commit | within')),
    )
    const types: readonly string[] = reactions[name].on
    const began = performance.now()
    const since = new Date()
    const standing = crashAt(context, point, { signal: 'SIGSTOP', withinMs: 30_000 })
    const placed = await times(10, buy)
    const pid = await standing
    must(pid !== undefined, `${name} did not reach ${point}`)
    try {
      const decided = Promise.all(placed.map((one) => traffic.decided(one.id)))
      const isOver = decided.then(() => true)
      // sends the same events to the other process
      while (!(await Promise.race([isOver, pause(200, false)]))) {
        const events = (await streamed(context, since)).filter(
          ({ type, body }) => types.includes(type) && placed.some((one) => body.includes(one.id)),
        )
        // all at once, because each may wait for the locks of the suspended process
        await Promise.all(
          events.map(({ body }) => deliver(shop, name, body, `http://127.0.0.1:${second.port}/`)),
        )
      }
      const refused = (await decided).filter((status) => status !== 'confirmed')
      must(refused.length === 0, `${refused.length} orders were not confirmed while ${point} was suspended`)
      await pause(Math.max(0, ackWaitMs + 2_000 - (performance.now() - began)))
    } finally {
      process.kill(pid, 'SIGCONT')
      // the resumed process finishes its late work
      await pause(3_000)
      await second.stop()
    }
    injected()
    const seconds = (performance.now() - began) / 1000
    say(`${point} was suspended for ${seconds.toFixed(0)} s, and another process did its work`)
  },
}
