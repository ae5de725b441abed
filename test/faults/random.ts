import { seeded } from '../../demo/scale/seeded.ts'

/** A random sequence that is the same for the same seed. */
export interface Random {
  /** At least 0, less than 1. */
  next: () => number
  /** A whole number, at least 0, less than `below`. */
  below: (below: number) => number
  pick: <T>(from: readonly T[]) => T
  shuffle: <T>(all: readonly T[]) => T[]
  /** Returns another sequence, which depends only on the seed and the name. */
  fork: (name: string) => Random
}

export function createRandom(seed: number): Random {
  const next = seeded(seed)
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    next,
    below,
    pick: (from) => from[below(from.length)]!,
    shuffle: (all) => {
      const shuffled = [...all]
      for (let n = shuffled.length - 1; n > 0; n--) {
        const other = below(n + 1)
        ;[shuffled[n], shuffled[other]] = [shuffled[other]!, shuffled[n]!]
      }
      return shuffled
    },
    fork: (name) =>
      createRandom(
        Array.from(name).reduce((sum, c) => (Math.imul(sum, 31) + (c.codePointAt(0) ?? 0)) | 0, seed),
      ),
  }
}
