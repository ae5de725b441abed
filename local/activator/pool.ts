// The processes of one function, the requests that wait for them, and how many of them there are.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createAutoscaler } from './autoscaler.ts'
import { createBackoff } from './backoff.ts'
import { requestHeaders } from './headers.ts'
import type { RequestHeaders } from './headers.ts'
import { startInstance } from './instance.ts'
import type { Instance } from './instance.ts'
import type { GatewayProblemName } from '../../functions/shared/http/gateway-problems.ts'
import { sendProblem } from './problem.ts'
import { connectionsTo, forward, readBody } from './proxy.ts'
import type { Body, Connections, Outcome } from './proxy.ts'
import { Queue } from './queue.ts'
import type { Queueable } from './queue.ts'

const MAX_RETRIES = 3
const DECISIONS_KEPT = 20
/** A process that ends sooner than this and has answered nothing counts as one that did not start. */
const SETTLED_MS = 10_000
/** Longer than a process that was killed takes to be gone, as a rule. */
const DOUBT_MS = 50
/** Knative's default revision timeout: how long a request may wait for an answer, and a drained instance work on. */
const TIMEOUT_MS = 300_000

export interface PoolOptions {
  name: string
  concurrency: number
  minScale: number
  maxScale: number
  windowSeconds: number
  spawn: () => { command: string; args: string[]; env: NodeJS.ProcessEnv }
  log?: ((name: string, line: string) => void) | undefined
  /** How many requests may wait for an instance (default 10 000); more are refused. */
  queueLimit?: number
  /** How long they may, in milliseconds (default 60 s); looked at on every tick. */
  longestWaitMs?: number
  /** How long a function may take until its answer begins, in milliseconds (default 300 s). */
  answerWithinMs?: number
}

export interface InstanceReport {
  pid: number | undefined
  state: 'starting' | 'ready' | 'stopping'
  inFlight: number
  startedAt: string
  /** From spawning to listening. */
  startMs: number | undefined
}

export interface FunctionReport {
  state: 'idle' | 'starting' | 'ready' | 'stopping' | 'failing'
  instances: InstanceReport[]
  concurrency: { stable: number; panic: number; inFlight: number; queued: number }
  desired: number
  panic: boolean
  /** Processes that ended without being asked to, or never listened. */
  restarts: number
  /** The last changes, oldest first. */
  decisions: { at: string; from: number; to: number; reason: string }[]
}

interface Member {
  instance: Instance
  /** Once it was needed. */
  connections: Connections | undefined
  state: 'starting' | 'ready' | 'stopping'
  startedTick: number
  inFlight: number
  answered: boolean
  /** Whether it may be about to end, see `doubt`. */
  doubted: boolean
  /** Called when the last request of a stopping member is done. */
  drained: (() => void) | undefined
}

interface Waiting extends Queueable<Waiting> {
  req: IncomingMessage
  res: ServerResponse
  path: string
  request: RequestHeaders
  body: Body
  since: number
  retries: number
  /** Whether a process may have died of it. */
  suspect: boolean
}

export type Pool = ReturnType<typeof createPool>

/** Starts nothing by itself: `accept`, `warm` and `tick` do. */
export function createPool(options: PoolOptions) {
  const { name, windowSeconds, log } = options
  const { queueLimit = 10_000, longestWaitMs = 60_000, answerWithinMs = TIMEOUT_MS } = options
  const maxScale = Math.max(1, options.maxScale)
  const minScale = Math.min(options.minScale, maxScale)
  const limit = options.concurrency > 0 ? options.concurrency : Infinity
  const autoscaler = createAutoscaler({ concurrency: options.concurrency, minScale, maxScale, windowSeconds })
  const backoff = createBackoff()
  const queue = new Queue<Waiting>()
  const members = new Set<Member>()
  const eventStreams = new Set<ServerResponse>()
  const decisions: FunctionReport['decisions'] = []
  let inFlight = 0
  let restarts = 0
  let desired = 0
  let panic = false
  let waking = false
  let closed = false

  /** Takes a request; `path` is what the function is to see. Answers it whatever happens, unless the client leaves. */
  function accept(req: IncomingMessage, res: ServerResponse, path: string): void {
    readBody(req, (body) => take(req, res, path, body))
  }

  function take(req: IncomingMessage, res: ServerResponse, path: string, body: Body): void {
    const request = requestHeaders(req)
    const now = performance.now()
    const waiting: Waiting = {
      req,
      res,
      path,
      request,
      body,
      since: now,
      retries: 0,
      suspect: false,
      next: undefined,
      previous: undefined,
      queued: false,
    }
    if (closed) refuse(waiting, 'shutting-down', 1)
    else if (queue.length >= queueLimit) refuse(waiting, 'overloaded', 1)
    else if (backoff.pause(now) > 0 && count() === 0) refuseUnstartable(waiting, now)
    else {
      const member = queue.length === 0 ? leastLoaded() : undefined
      if (member) dispatch(waiting, member)
      else {
        queue.push(waiting)
        res.once('close', () => leave(waiting))
        wake()
      }
      autoscaler.observe(now, inFlight + queue.length)
    }
  }

  function refuse(waiting: Waiting, name: GatewayProblemName, retryAfterSeconds?: number): void {
    const headers: Record<string, string> = { 'X-Request-Id': waiting.request.requestId }
    if (retryAfterSeconds !== undefined) headers['Retry-After'] = String(Math.ceil(retryAfterSeconds))
    sendProblem(waiting.res, name, headers)
  }

  function refuseUnstartable(waiting: Waiting, now: number): void {
    refuse(waiting, 'function-cannot-start', Math.max(1, backoff.pause(now) / 1000))
  }

  /** The client of a waiting request went away. */
  function leave(waiting: Waiting): void {
    if (!waiting.queued) return
    queue.remove(waiting)
    observe()
  }

  function observe(): void {
    autoscaler.observe(performance.now(), inFlight + queue.length)
  }

  /** The ready instance with the fewest requests that can take one more. */
  function leastLoaded(): Member | undefined {
    let best: Member | undefined
    for (const member of members) {
      if (member.state === 'ready' && !member.doubted && member.inFlight < (best?.inFlight ?? limit))
        best = member
    }
    return best
  }

  function dispatch(waiting: Waiting, member: Member): void {
    const { req, res, path, request, body } = waiting
    member.inFlight += 1
    inFlight += 1
    const onEventStream = (): void => {
      eventStreams.add(res)
    }
    const finish = (outcome: Outcome): void => {
      member.inFlight -= 1
      inFlight -= 1
      if (eventStreams.size > 0) eventStreams.delete(res)
      settle(waiting, member, outcome)
      serveQueue()
      observe()
      if (member.inFlight === 0) member.drained?.()
    }
    member.connections ??= connectionsTo(member.instance.port, answerWithinMs)
    forward(req, res, { connections: member.connections, path, request, body, onEventStream, finish })
  }

  function settle(waiting: Waiting, member: Member, outcome: Outcome): void {
    if (outcome === 'done') {
      if (!member.answered) {
        member.answered = true
        backoff.succeeded()
      }
      return
    }
    if (outcome === 'late') {
      refuse(waiting, 'gateway-timeout')
      return
    }
    doubt(member)
    if (outcome === 'cut') return
    // It runs but does not listen any more, or its end has not been told yet.
    if (outcome === 'refused' && member.state === 'ready' && members.has(member)) {
      restarts += 1
      void retire(member, 0)
    }
    const again = outcome !== 'failed' && !(outcome === 'unanswered' && waiting.suspect)
    if (!again || waiting.retries >= MAX_RETRIES) refuse(waiting, 'bad-gateway')
    else if (closed) refuse(waiting, 'shutting-down', 1)
    else if (!waiting.res.destroyed) {
      waiting.retries += 1
      waiting.suspect ||= outcome === 'unanswered'
      queue.unshift(waiting)
      if (waiting.retries === 1) waiting.res.once('close', () => leave(waiting))
      wake()
    }
  }

  /**
   * A connection broke, so the process may have ended without our having been told yet. What it is not sent meanwhile
   * need not be answered with 502.
   */
  function doubt(member: Member): void {
    if (member.doubted) return
    member.doubted = true
    setTimeout(() => {
      member.doubted = false
      serveQueue()
    }, DOUBT_MS)
  }

  function serveQueue(): void {
    while (queue.first) {
      const member = leastLoaded()
      if (!member) return
      const waiting = queue.shift()
      if (waiting) dispatch(waiting, member)
    }
  }

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
    const now = performance.now()
    const ready = count('ready')
    const decision = autoscaler.decide(now, ready)
    const from = ready + count('starting')
    desired = decision.desired
    panic = decision.panic
    let to = desired
    if (desired > from) {
      // After a failed start one process at a time shows whether it works again, and in a crash loop none for a while.
      if (backoff.pause(now) > 0) to = from
      else if (backoff.failures > 0) to = Math.min(desired, Math.max(from, ready + 1))
    }
    if (to === from) return
    decisions.push({ at: new Date().toISOString(), from, to, reason: decision.reason })
    if (decisions.length > DECISIONS_KEPT) decisions.shift()
    for (let n = from; n < to; n += 1) start()
    for (let n = from; n > to; n -= 1) stopOne()
  }

  function count(state?: Member['state']): number {
    let n = 0
    for (const member of members) if (state ? member.state === state : member.state !== 'stopping') n += 1
    return n
  }

  function start(): Member {
    const instance = startInstance({ name, ...options.spawn(), log })
    const member: Member = {
      instance,
      connections: undefined,
      state: 'starting',
      startedTick: performance.now(),
      inFlight: 0,
      answered: false,
      doubted: false,
      drained: undefined,
    }
    members.add(member)
    void begin(member)
    return member
  }

  async function begin(member: Member): Promise<void> {
    const { instance } = member
    void instance.exited.then((how) => ended(member, how))
    try {
      await instance.ready
    } catch (error) {
      if (member.state === 'starting') log?.(name, error instanceof Error ? error.message : String(error))
      return
    }
    if (member.state !== 'starting') return
    member.state = 'ready'
    serveQueue()
  }

  function ended(member: Member, how: string): void {
    members.delete(member)
    disconnect(member)
    if (member.state === 'stopping') return
    restarts += 1
    const now = performance.now()
    if (member.state === 'ready') log?.(name, `process ${member.instance.pid} ended unasked: ${how}`)
    const settled = member.answered || now - member.startedTick >= SETTLED_MS
    if (member.state === 'starting' || !settled) backoff.failed(now, member.startedTick)
    if (count() === 0 && backoff.pause(now) > 0) {
      for (let waiting = queue.shift(); waiting; waiting = queue.shift()) refuseUnstartable(waiting, now)
      observe()
    }
    wake()
  }

  /** Takes the instance away that is missed least: one that is still starting, or has the fewest requests. */
  function stopOne(): void {
    let chosen: Member | undefined
    for (const member of members) {
      if (member.state === 'stopping') continue
      const spare = member.state === 'starting' && chosen?.state !== 'starting'
      if (!chosen || spare || (chosen.state === member.state && member.inFlight <= chosen.inFlight))
        chosen = member
    }
    if (chosen) void retire(chosen, TIMEOUT_MS)
  }

  /** No new requests; those in flight get `drainMs`, then the process gets SIGTERM, and SIGKILL after `graceMs`. */
  async function retire(member: Member, drainMs: number, graceMs?: number): Promise<void> {
    member.state = 'stopping'
    if (member.inFlight > 0 && drainMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, drainMs)
        member.drained = () => {
          clearTimeout(timer)
          resolve()
        }
        void member.instance.exited.then(member.drained)
      })
    }
    // With its idle connections closed, the process has nothing to wait for.
    disconnect(member)
    await member.instance.stop(graceMs)
  }

  /** Idle connections end now, the others once what they carry is over. */
  function disconnect({ connections }: Member): void {
    // it may have been closed before
    connections?.close(() => {})
  }

  /** Called on every tick: gives up on requests that waited too long, then scales. */
  function tick(): void {
    const now = performance.now()
    while (queue.first && now - queue.first.since > longestWaitMs) {
      const waiting = queue.shift()
      if (waiting) refuse(waiting, 'overloaded', windowSeconds / 10)
    }
    observe()
    decide()
  }

  /** Has at least one instance ready, and keeps it for a window. Rejects if it does not start. */
  async function warm(): Promise<void> {
    if (closed) throw new Error('The activator is closed')
    autoscaler.touch(performance.now())
    for (const member of members) {
      if (member.state !== 'stopping') {
        await member.instance.ready
        return
      }
    }
    decisions.push({ at: new Date().toISOString(), from: 0, to: 1, reason: 'warmed' })
    await start().instance.ready
  }

  /** Requests that are on their way to an end; event streams have none, so they do not count. */
  function busy(): number {
    return inFlight + queue.length - eventStreams.size
  }

  /** Ends event streams, refuses what waits, and stops every process: SIGTERM, then SIGKILL after `graceMs`. */
  async function close(graceMs: number): Promise<void> {
    closed = true
    for (let waiting = queue.shift(); waiting; waiting = queue.shift()) refuse(waiting, 'shutting-down', 1)
    for (const stream of eventStreams) stream.destroy()
    await Promise.all([...members].map((member) => retire(member, 0, graceMs)))
  }

  function report(): FunctionReport {
    const now = performance.now()
    const ready = count('ready')
    const { stable, panic: short } = autoscaler.averages(now)
    let state: FunctionReport['state'] = 'idle'
    if (ready > 0) state = 'ready'
    else if (backoff.pause(now) > 0) state = 'failing'
    else if (count('starting') > 0) state = 'starting'
    else if (members.size > 0) state = 'stopping'
    return {
      state,
      instances: [...members].map((member) => ({
        pid: member.instance.pid,
        state: member.state,
        inFlight: member.inFlight,
        startedAt: member.instance.startedAt.toISOString(),
        startMs: member.instance.startMs === undefined ? undefined : Math.round(member.instance.startMs),
      })),
      concurrency: { stable: round(stable), panic: round(short), inFlight, queued: queue.length },
      desired,
      panic,
      restarts,
      decisions: [...decisions],
    }
  }

  return { accept, tick, warm, busy, close, report }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
