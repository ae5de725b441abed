/** A start in several steps, which can be aborted and undone. */
export interface Startup {
  /** Adds a function that undoes a step. It is called when the shop stops or its start fails, in reverse order. */
  onStop: (stop: () => unknown) => void
  /** Aborts the start if the promise rejects. The current step then rejects as well. */
  endIf: (failure: Promise<never>) => void
  /** Waits for a step. Rejects if the start is aborted. */
  step: <T>(work: Promise<T>) => Promise<T>
  /** Undoes the steps in reverse order, so that nothing loses what it depends on. May be called twice. */
  stop: () => Promise<void>
}

/** @param signal aborts the start */
export function createStartup(signal?: AbortSignal): Startup {
  const stops: (() => unknown)[] = []
  const failures: Promise<never>[] = []
  const endIf = (failure: Promise<never>) => {
    failures.push(failure)
    // it may reject between two steps, when nothing awaits it
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
