import { setTimeout as pause } from 'node:timers/promises'
import { everythingWorks, until, type Fault } from '../fault.ts'

/** How long it may take until a store works again, in ms. A store that hangs is left alone for half a minute. */
const healMs = { killed: 60_000, hangs: 120_000 }

/** Stores that end or hang under `npm start`, which starts them again at the same address. */
export const supervised: Fault = {
  name: 'supervised',
  title: 'Each store killed, and NATS and the MongoDB-compatible store suspended, under npm start',
  isEmbedded: true,
  brokerAwayMs: 5 * healMs.hangs,
  async run({ shop, traffic, injected, say }) {
    const busy = traffic.run({ atOnce: 2, pauseMs: 100 })
    await pause(2_000)
    const faults = [
      ['postgres', 'SIGKILL'],
      ['nats', 'SIGKILL'],
      ['mongodb', 'SIGKILL'],
      ['nats', 'SIGSTOP'],
      ['mongodb', 'SIGSTOP'],
    ] as const
    for (const [name, signal] of faults) {
      const what = signal === 'SIGKILL' ? 'killed' : 'hangs'
      const pid = shop.storePid(name)
      const began = performance.now()
      process.kill(pid!, signal)
      await until(`another ${name}`, () => ![pid, undefined].includes(shop.storePid(name)), healMs[what])
      injected()
      await everythingWorks(traffic, healMs[what])
      await until('nothing is degraded', async () => (await shop.degraded()).length === 0, healMs[what])
      say(`${name} ${what}: all well after ${((performance.now() - began) / 1000).toFixed(0)} s`)
    }
    await busy.stop()
  },
}
