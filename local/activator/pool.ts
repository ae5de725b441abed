import { createMembers } from './members.ts'
import type { InstanceOptions } from './instance.ts'
import { reportOf } from './report.ts'
import { createRequests } from './requests.ts'
import { createScaling } from './scaling.ts'

export interface PoolOptions {
  name: string
  concurrency: number
  minScale: number
  maxScale: number
  windowSeconds: number
  spawn: () => Pick<InstanceOptions, 'command' | 'args' | 'env'>
  log?: ((name: string, line: string) => void) | undefined
  /** How many requests may wait for an instance (default 10 000); more are refused. */
  queueLimit?: number
  /** How long they may wait, in ms (default 60 s); looked at on every tick. */
  longestWaitMs?: number
  /** How long a function may take until its answer begins, in ms (default 300 s, as Knative's revision timeout). */
  answerWithinMs?: number
}

export type Pool = ReturnType<typeof createPool>

/**
 * One function: its processes (members.ts), the requests to it (requests.ts), and how many processes there are
 * (scaling.ts). It starts nothing by itself: `accept`, `warm` and `tick` do.
 */
export function createPool(options: PoolOptions) {
  const { name, concurrency, windowSeconds, spawn, log } = options
  const { queueLimit = 10_000, longestWaitMs = 60_000, answerWithinMs = 300_000 } = options
  let closed = false
  let waking = false

  const scaling = createScaling(options)
  const members = createMembers({
    name,
    limit: concurrency > 0 ? concurrency : Infinity,
    spawn,
    log,
    answerWithinMs,
    onFree: () => requests.serve(),
    onCrash: ({ startedAt }, isFailedStart) => {
      const now = performance.now()
      if (isFailedStart) scaling.failed(now, startedAt)
      if (members.running() === undefined && scaling.pause(now) > 0) requests.refuseAll(now)
      wake()
    },
  })
  const requests = createRequests({
    members,
    queueLimit,
    longestWaitMs,
    retryAfterSeconds: windowSeconds / 10,
    pause: scaling.pause,
    onWait: wake,
    onChange: scaling.observe,
    onFirstAnswer: scaling.succeeded,
  })

  /** Decides soon, once for all requests that came in this turn of the event loop. */
  function wake(): void {
    if (waking) return
    waking = true
    setImmediate(() => {
      waking = false
      decide()
    })
  }

  function decide(): void {
    if (closed) return
    const { ready, starting } = members.counts()
    const from = ready + starting
    const to = scaling.decide(performance.now(), { ready, starting })
    for (let n = from; n < to; n += 1) members.start()
    for (let n = from; n > to; n -= 1) members.stopOne()
  }

  return {
    accept: requests.accept,

    /** Called regularly: refuses requests that have waited too long, then scales. */
    tick(): void {
      requests.expire(performance.now())
      decide()
    },

    /** Has at least one process ready, and keeps it for a window. Rejects if it does not start. */
    async warm(): Promise<void> {
      if (closed) throw new Error('The activator is closed')
      scaling.touch(performance.now())
      const running = members.running()
      if (running === undefined) scaling.warmed()
      await (running ?? members.start()).ready
    },

    busy: requests.busy,

    /** Ends event streams, refuses what waits, and stops every process: SIGTERM, then SIGKILL after `graceMs`. */
    async close(graceMs: number): Promise<void> {
      closed = true
      requests.close()
      await members.stopAll(graceMs)
    },

    report: () =>
      reportOf(performance.now(), {
        members: members.list(),
        scaling,
        inFlight: requests.inFlight(),
        queued: requests.queued(),
        restarts: members.restarts(),
      }),
  }
}
