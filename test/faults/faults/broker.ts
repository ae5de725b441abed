import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from '../fault.ts'

const goneMs = 120_000

/** The broker stops, and restarts with or without its data. Orders are always accepted, and each ends. */
export const broker: Fault = {
  name: 'broker',
  title:
    'JetStream’s storage removed during a run; the broker restarted; the broker down for two minutes while orders are accepted',
  brokerAwayMs: goneMs,
  async run({ shop, traffic, injected, say }) {
    const busy = traffic.run({ atOnce: 2, pauseMs: 600 })
    await pause(2_000)
    for (const empty of [false, true]) {
      await shop.kill('nats')
      await shop.revive('nats', { empty })
      injected()
      await pause(3_000)
    }
    await shop.kill('nats')
    const taken = await traffic.ordersAreTaken(goneMs)
    await shop.revive('nats')
    injected()
    await pause(2_000)
    await busy.stop()
    say(`${taken}, while the broker was down for ${goneMs / 1000} s`)
  },
}
