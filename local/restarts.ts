import { createBackoff } from './activator/backoff.ts'

/** If a process ran for longer than this, its end does not count as a failed start, in ms. */
const settledMs = 10_000

export interface Restart {
  /** In ms. */
  pauseMs: number
  /** For a message: `now`, `in 2 s`. */
  when: string
}

/** Decides when a process that has ended is restarted: at once, and after repeated failures with growing pauses. */
export function createRestarts() {
  const backoff = createBackoff()
  return {
    /**
     * Call it when the process has ended or could not be started.
     * @param startedAt the value of `performance.now()` when it was started
     */
    after(startedAt: number): Restart {
      const now = performance.now()
      if (now - startedAt > settledMs) backoff.succeeded()
      backoff.failed(now, startedAt)
      const pauseMs = backoff.pause(now)
      const when = pauseMs === 0 ? 'now' : `in ${Math.round(pauseMs / 1000)} s`
      return { pauseMs, when }
    },
    /** The number of failures in a row. */
    get failures() {
      return backoff.failures
    },
  }
}
