import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from '../fault.ts'

const goneMs = 120_000

/** The broker may go, come back, and come back with nothing: orders are accepted all the while, and each ends. */
export const broker: Fault = {
  name: 'broker',
  title:
    'JetStream’s storage removed in mid-run; the broker restarted; the broker gone for two minutes while orders are accepted',
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
    say(`${taken}, while it was gone for ${goneMs / 1000} s`)
  },
}
