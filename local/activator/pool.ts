import { createMembers } from './members.ts'
import type { InstanceOptions } from './instance.ts'
import type { Observer } from './observer.ts'
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
  turn?: InstanceOptions['turn']
  log?: ((name: string, line: string) => void) | undefined
  observer?: Observer | undefined
  /** How many requests may wait for a process (default 10 000). More are refused. */
  queueLimit?: number
  /** How long requests may wait, in ms (default 60 s). Checked on each tick. */
  longestWaitMs?: number
  /** How long a function may take to begin its answer, in ms (default 300 s, like Knative's revision timeout). */
  answerWithinMs?: number
}

export type Pool = ReturnType<typeof createPool>

/**
 * Creates the pool of a function: its processes (members.ts), its requests (requests.ts) and the number of processes
 * (scaling.ts). Processes are only started by `accept`, `warm` and `tick`.
 */
export function createPool(options: PoolOptions) {
  const { name, concurrency, windowSeconds, spawn, turn, log, observer } = options
  const { queueLimit = 10_000, longestWaitMs = 60_000, answerWithinMs = 300_000 } = options
  let closed = false
  let waking = false

  const scaling = createScaling({
    ...options,
    onChange: observer && ((change, decision) => observer.scaled(name, change, decision)),
  })
  const members = createMembers({
    name,
    limit: concurrency > 0 ? concurrency : Infinity,
    spawn,
    turn,
    log,
    answerWithinMs,
    onFree: () => requests.serve(),
    onCrash: ({ instance }, isFailedStart) => {
      const now = performance.now()
      if (isFailedStart) scaling.failed(now, instance.startedTick)
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
    onEnd: observer && ((exchange) => observer.answered(name, exchange)),
  })

  /** Scales once for all requests that arrive in this turn of the event loop. */
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

    /** Refuses requests that have waited too long, then scales. Must be called regularly. */
    tick(): void {
      requests.expire(performance.now())
      decide()
    },

    /** Starts a process if none is running, and keeps it for a window. Resolves when it is ready; rejects if it fails. */
    async warm(): Promise<void> {
      if (closed) throw new Error('The activator is closed')
      scaling.touch(performance.now())
      const running = members.running()
      if (running === undefined) scaling.warmed()
      await (running ?? members.start()).ready
    },

    busy: requests.busy,

    /** Ends event streams, refuses waiting requests and stops all processes: sends SIGTERM, and SIGKILL after `graceMs`. */
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
