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

/** How many there are of each. */
export function tally(values: (string | number)[]): Record<string, number> {
  const found: Record<string, number> = {}
  for (const value of values) found[value] = (found[value] ?? 0) + 1
  return found
}

export const times = <T>(count: number, work: (n: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => work(n)))
