import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { must, type Fault } from '../fault.ts'

const settledMs = 3 * 60_000
const mostGrowth = 1.2

/** Nothing goes wrong, for long: no process holds ever more memory. */
export const endurance = (minutes: number): Fault => ({
  name: 'endurance',
  title: `Load for ${minutes} minutes: the memory of each process at the end against that after three`,
  async run({ shop, traffic, say }) {
    const busy = traffic.run({ atOnce: 3, pauseMs: 250 })
    await pause(settledMs)
    const early = new Map(shop.processes().map(({ pid }) => [pid, residentMib(pid)]))
    await pause(minutes * 60_000 - settledMs)
    const grown = shop.processes().flatMap(({ name, pid }) => {
      const before = early.get(pid)
      const mib = residentMib(pid)
      return before === undefined ? [] : [{ name, growth: mib / before, mib }]
    })
    await busy.stop()
    must(grown.length > 0, 'no process lived that long')
    grown.sort((a, b) => b.growth - a.growth)
    const { name, growth, mib } = grown[0]!
    say(
      `${grown.length} processes lived so long; the most grew ${name}, to ${growth.toFixed(2)} × (${mib.toFixed(0)} MiB)`,
    )
    for (const one of grown)
      must(
        one.growth <= mostGrowth,
        `${one.name} has grown to ${one.growth.toFixed(2)} × (${one.mib.toFixed(0)} MiB)`,
      )
  },
})

/** What a process holds in memory; 0 where it is gone. */
export function residentMib(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}
