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

/** Mulberry32, by Tommy Ettinger: a small generator that is good enough for tests. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
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
