// Decides when a process that failed to start may be started again.

const FREE_ATTEMPTS = 3
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000

export interface Backoff {
  /** Failed starts in a row. */
  readonly failures: number
  /** Returns the time until the next start is allowed, in ms; 0 if it is allowed now. */
  pause(now: number): number
  /** Counts the failure of a process that was started at `startedAt`. Processes that were started together count once. */
  failed(now: number, startedAt: number): void
  succeeded(): void
}

/** Allows three attempts without a pause, then pauses of 1 s, doubled each time up to 30 s. All times are in ms. */
export function createBackoff(): Backoff {
  let failures = 0
  let failedAt = -Infinity
  let until = -Infinity
  return {
    get failures() {
      return failures
    },
    pause: (now) => Math.max(0, until - now),
    failed(now, startedAt) {
      if (startedAt < failedAt) return
      failures += 1
      failedAt = now
      if (failures >= FREE_ATTEMPTS) {
        until = now + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - FREE_ATTEMPTS))
      }
    },
    succeeded() {
      failures = 0
      until = -Infinity
    },
  }
}
