import { consumers } from './consumers.table.ts'

/** For how long a function that was just asked something is surely there, in ms: half of Knative's stable window. */
const freshMs = 30_000

/** How long a function may take to start, in ms; what it answers does not matter. */
const patienceMs = 30_000

/** Which reactions an event leads to where all goes well, from the second step on. */
export function reactionsAfter(type: string): string[] {
  const found = new Set<string>()
  const follow = (type: string, isFirst: boolean) => {
    for (const [name, { on, leadsTo }] of Object.entries(consumers)) {
      if (!on.includes(type)) continue
      if (found.has(name)) continue
      if (!isFirst) found.add(name)
      if (leadsTo !== undefined) follow(leadsTo, false)
    }
  }
  follow(type, true)
  return [...found]
}

/**
 * Starts functions before their event comes: where each step of a saga finds its function at zero, their cold starts
 * would add up, and so they run beside one another.
 * @param url the address of a reaction
 * @param stopping ends what is still asked
 */
export function createWaker(url: (name: string) => string, stopping: AbortSignal) {
  const lastAsked = new Map<string, number>()
  const asked = (name: string) => void lastAsked.set(name, performance.now())
  const isFresh = (name: string) => performance.now() - (lastAsked.get(name) ?? -freshMs) < freshMs
  return {
    /** To be told of each request that a reaction has answered: it need not be woken. */
    asked,
    /** An event of this type is about to be delivered. Does not wait, and never fails: delivery starts what is left. */
    wakeAfter(type: string): void {
      for (const name of reactionsAfter(type)) {
        if (isFresh(name)) continue
        asked(name)
        const signal = AbortSignal.any([stopping, AbortSignal.timeout(patienceMs)])
        fetch(`${url(name)}/health/liveness`, { signal })
          .then((response) => response.body?.cancel())
          .catch(() => lastAsked.delete(name))
      }
    },
  }
}
