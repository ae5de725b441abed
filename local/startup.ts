/** A start in several steps: it remembers how to undo them, and can be ended early. */
export interface Startup {
  /** Has `stop` called when the shop stops or its start fails, before those that were added earlier. */
  onStop: (stop: () => unknown) => void
  /** Ends the start as soon as the promise rejects: the step that is under way rejects, too. */
  endIf: (failure: Promise<never>) => void
  /** Waits for a step, unless the start is ended before. */
  step: <T>(work: Promise<T>) => Promise<T>
  /** Undoes the steps, last one first, so that nothing loses what it depends on. May be called twice. */
  stop: () => Promise<void>
}

/** @param signal ends the start */
export function createStartup(signal?: AbortSignal): Startup {
  const stops: (() => unknown)[] = []
  const failures: Promise<never>[] = []
  const endIf = (failure: Promise<never>) => {
    failures.push(failure)
    // it may reject between two steps
    failure.catch(() => {})
  }
  if (signal !== undefined)
    endIf(
      new Promise((_, reject) => {
        signal.throwIfAborted()
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      }),
    )
  return {
    onStop: (stop) => void stops.push(stop),
    endIf,
    step: (work) => Promise.race([work, ...failures]),
    stop: async () => {
      for (let next = stops.pop(); next !== undefined; next = stops.pop()) await next()
    },
  }
}
