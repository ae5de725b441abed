import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from './random.ts'
import type { FaultShop } from './shop.ts'
import type { Traffic } from './traffic.ts'

export interface Context {
  shop: FaultShop
  /** People who come and go; what they were promised is checked afterwards. */
  traffic: Traffic
  random: Random
  /** Counts a fault that was injected. */
  injected: (count?: number) => void
  say: (line: string) => void
}

/** One way in which things go wrong. Throws where the shop does not stand it; its invariants are checked after it. */
export interface Fault {
  name: string
  title: string
  /** How wrong the times may be that processes write, in ms. */
  clockErrorMs?: number
  run: (context: Context) => Promise<void>
}

/** @throws where it is not so */
export function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what)
}

/** Waits until something is so, asking again and again. @throws where it is not within so many ms */
export async function until(what: string, isSo: () => Promise<boolean> | boolean, withinMs = 30_000) {
  const end = performance.now() + withinMs
  while (!(await isSo())) {
    must(performance.now() < end, `${what}: not within ${withinMs} ms`)
    await pause(50)
  }
}

/** What a process holds in memory, or held at most (`VmHWM`), in MiB; 0 where it is gone. */
export function memoryMib(pid: number, which: 'VmRSS' | 'VmHWM'): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(new RegExp(`^${which}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

/** How many there are of each. */
export function tally(values: (string | number)[]): Record<string, number> {
  const found: Record<string, number> = {}
  for (const value of values) found[value] = (found[value] ?? 0) + 1
  return found
}

export const times = <T>(count: number, work: (n: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => work(n)))
