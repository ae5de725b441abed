// When to try again with a function whose process does not start.

const FREE_ATTEMPTS = 3
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000

export interface Backoff {
  /** Failed starts in a row. */
  readonly failures: number
  /** Milliseconds until the next start is allowed; 0 is at once. */
  pause(now: number): number
  /** Counts a failure of a process started at `startedAt`; those that were started together count as one. */
  failed(now: number, startedAt: number): void
  succeeded(): void
}

/** Three attempts at once, then pauses of 1 s, doubling to 30 s. Times in milliseconds. */
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
