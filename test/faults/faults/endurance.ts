import { setTimeout as pause } from 'node:timers/promises'
import { quantile } from '../../../functions/shared/quantile.ts'
import { memoryMib, must, type Fault } from '../fault.ts'
import type { FaultShop } from '../shop.ts'

const settledMs = 3 * 60_000
const mostGrowth = 1.2

/** A long run without faults. No process may use more and more memory. */
export const endurance = (minutes: number): Fault => ({
  name: 'endurance',
  title: `Load for ${minutes} minutes: the memory of each process at the end, compared with that after three`,
  async run({ shop, traffic, say }) {
    const busy = traffic.run({ atOnce: 3, pauseMs: 150 })
    await pause(settledMs)
    const early = await memories(shop)
    await pause(minutes * 60_000 - settledMs)
    const late = await memories(shop)
    const grown = shop.processes().flatMap(({ name, pid }) => {
      const [before, mib] = [early.get(pid), late.get(pid)]
      return before === undefined || mib === undefined ? [] : [{ name, growth: mib / before, mib }]
    })
    await busy.stop()
    must(grown.length > 0, 'no process ran that long')
    grown.sort((a, b) => b.growth - a.growth)
    const { name, growth, mib } = grown[0]!
    say(
      `${grown.length} processes ran that long; ${name} grew most, to ${growth.toFixed(2)} × (${mib.toFixed(0)} MiB)`,
    )
    for (const one of grown)
      must(
        one.growth <= mostGrowth,
        `${one.name} has grown to ${one.growth.toFixed(2)} × (${one.mib.toFixed(0)} MiB)`,
      )
  },
})

/** The memory of each process in MiB, by pid: the median of five samples, as garbage collection varies it. */
async function memories(shop: FaultShop): Promise<Map<number, number>> {
  const samples = new Map<number, number[]>()
  for (let taken = 0; taken < 5; taken++, await pause(2_000))
    for (const { pid } of shop.processes())
      samples.set(pid, [...(samples.get(pid) ?? []), memoryMib(pid, 'VmRSS')])
  return new Map([...samples].map(([pid, mib]) => [pid, quantile(mib, 0.5)!]))
}
