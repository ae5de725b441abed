import { createAutoscaler, type Decision } from './autoscaler.ts'
import { createBackoff } from './backoff.ts'

const decisionsKept = 20

export interface Change {
  at: string
  from: number
  to: number
  reason: string
}

export interface Counts {
  ready: number
  starting: number
}

export type Scaling = ReturnType<typeof createScaling>

/** Decides how many processes a function has: as many as the autoscaler says, but fewer if they fail to start. */
export function createScaling(options: {
  concurrency: number
  minScale: number
  maxScale: number
  windowSeconds: number
  /** Called with each change, and the decision that led to it. */
  onChange?: ((change: Change, decision: Decision | undefined) => void) | undefined
}) {
  const maxScale = Math.max(1, options.maxScale)
  const minScale = Math.min(options.minScale, maxScale)
  const autoscaler = createAutoscaler({ ...options, minScale, maxScale })
  const backoff = createBackoff()
  const changes: Change[] = []
  let desired = 0
  let panic = false

  function note(from: number, to: number, reason: string, decision?: Decision): void {
    const change = { at: new Date().toISOString(), from, to, reason }
    changes.push(change)
    if (changes.length > decisionsKept) changes.shift()
    options.onChange?.(change, decision)
  }

  return {
    /** Records that from `now` on, `concurrency` requests are in flight or waiting. */
    observe: (now: number, concurrency: number) => autoscaler.observe(now, concurrency),
    /** Returns how many processes there should be. */
    decide(now: number, counts: Counts): number {
      const decision = autoscaler.decide(now, counts.ready)
      desired = decision.desired
      panic = decision.panic
      const from = counts.ready + counts.starting
      const to = startable(desired, counts, { failures: backoff.failures, pause: backoff.pause(now) })
      if (to !== from) note(from, to, decision.reason, decision)
      return to
    },
    /** Counts as traffic, so that a process is kept for a window. */
    touch: (now: number) => autoscaler.touch(now),
    /** Records that a process was started without a request. */
    warmed: () => note(0, 1, 'warmed'),
    /** Returns for how long no process is started, in ms, because of failed starts. */
    pause: (now: number) => backoff.pause(now),
    failed: (now: number, startedAt: number) => backoff.failed(now, startedAt),
    succeeded: () => backoff.succeeded(),
    report(now: number) {
      const { stable, panic: short } = autoscaler.averages(now)
      return { stable, short, desired, panic, changes: [...changes] }
    },
  }
}

/**
 * Returns how many of the wanted processes there may be. After a failed start, only one process is started at a time. In
 * a crash loop, none is started for a while.
 * @param backoff the number of failed starts in a row, and how long to pause, in ms
 */
export function startable(
  wanted: number,
  { ready, starting }: Counts,
  { failures, pause }: { failures: number; pause: number },
): number {
  const running = ready + starting
  if (wanted <= running || failures === 0) return wanted
  return pause > 0 ? running : Math.min(wanted, Math.max(running, ready + 1))
}
