interface Options<T> {
  /** What no two members of a group have in common. A group is sorted by it. */
  by: (item: T) => string
  /** Whether each member would fail alone, too. */
  isHopeless: (error: unknown) => boolean
  /** The largest group. */
  max?: number
}

/** How long members of a group that has failed are tried alone, in ms. The others are rejected, to be tried later. */
const aloneMs = 8_000

interface Waiting<T> {
  item: T
  resolve: () => void
  reject: (error: unknown) => void
}

/**
 * Returns a function that runs work on an item, in a group with all others that wait. A group is formed when the
 * previous one has ended. If it fails, each member is tried alone, for some seconds. Sorted groups lock what they share in the same order.
 */
export function inGroups<T>(
  run: (group: readonly T[]) => Promise<unknown>,
  { by, isHopeless, max = 64 }: Options<T>,
): (item: T) => Promise<void> {
  let waiting: Waiting<T>[] = []
  let isRunning = false
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (isRunning) return
      isRunning = true
      // not at once, so that those of the same request come along
      queueMicrotask(() => void runAll())
    })

  async function runAll() {
    while (waiting.length > 0) await runGroup(nextGroup())
    isRunning = false
  }

  function nextGroup(): Waiting<T>[] {
    const group = new Map<string, Waiting<T>>()
    const rest: Waiting<T>[] = []
    for (const each of waiting) {
      const key = by(each.item)
      if (group.size === max || group.has(key)) rest.push(each)
      else group.set(key, each)
    }
    waiting = rest
    return [...group].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each)
  }

  async function runGroup(group: Waiting<T>[]): Promise<void> {
    try {
      await run(group.map(({ item }) => item))
      for (const { resolve } of group) resolve()
    } catch (error) {
      if (group.length === 1 || isHopeless(error)) for (const { reject } of group) reject(error)
      else await runAlone(group, error)
    }
  }

  async function runAlone(group: Waiting<T>[], error: unknown): Promise<void> {
    const until = performance.now() + aloneMs
    for (const each of group) {
      if (performance.now() < until) await runGroup([each])
      else each.reject(error)
    }
  }
}
