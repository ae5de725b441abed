import type { IncomingMessage, ServerResponse } from 'node:http'
import { gatewayProblems, type GatewayProblemName } from '../../functions/shared/http/gateway-problems.ts'
import { requestHeaders, type RequestHeaders } from './headers.ts'
import type { Member, Members } from './members.ts'
import type { Exchange } from './observer.ts'
import { sendProblem } from './problem.ts'
import { forward, readBody, type Body, type Outcome } from './proxy.ts'
import { Queue, type Queueable } from './queue.ts'
import { afterExchange, type History } from './retry.ts'

/** A request that no process has answered yet. */
interface Waiting extends Queueable<Waiting>, History {
  req: IncomingMessage
  res: ServerResponse
  path: string
  request: RequestHeaders
  body: Body
  /** Since when it waits, from performance.now(). */
  since: number
  /** The trace that the answer names. */
  traceId: string | undefined
}

export interface RequestsOptions {
  members: Members
  /** How many requests may wait for a process. More are refused. */
  queueLimit: number
  /** How long requests may wait, in ms. */
  longestWaitMs: number
  /** The Retry-After header of the answer to a request that has waited too long. */
  retryAfterSeconds: number
  /** Returns for how long no process is started, in ms, because of failed starts. */
  pause: (now: number) => number
  /** Called when a request has to wait for a process. */
  onWait: () => void
  /** Called with the number of requests in flight and waiting when it may have changed. */
  onChange: (now: number, concurrency: number) => void
  /** Called when a process has answered its first request. */
  onFirstAnswer: () => void
  /** Called with each request when it is over. */
  onEnd?: ((exchange: Exchange) => void) | undefined
}

export type Requests = ReturnType<typeof createRequests>

/** Queues the requests to a function, sends them to its processes, and retries those that were not processed. */
export function createRequests(options: RequestsOptions) {
  const {
    members,
    queueLimit,
    longestWaitMs,
    retryAfterSeconds,
    pause,
    onWait,
    onChange,
    onFirstAnswer,
    onEnd,
  } = options
  const queue = new Queue<Waiting>()
  const eventStreams = new Set<ServerResponse>()
  let inFlight = 0
  let closing = false

  function take(req: IncomingMessage, res: ServerResponse, path: string, body: Body): void {
    const now = performance.now()
    const waiting: Waiting = {
      req,
      res,
      path,
      request: requestHeaders(req),
      body,
      since: now,
      traceId: undefined,
      retries: 0,
      suspect: false,
      next: undefined,
      previous: undefined,
      queued: false,
    }
    if (closing) return refuse(waiting, 'shutting-down', 1)
    if (queue.length >= queueLimit) return refuse(waiting, 'overloaded', 1)
    if (pause(now) > 0 && members.running() === undefined) return refuseUnstartable(waiting, now)
    const member = queue.length === 0 ? members.next() : undefined
    if (member) send(waiting, member)
    else {
      queue.push(waiting)
      res.once('close', () => leave(waiting))
      onWait()
    }
    onChange(now, concurrency())
  }

  const concurrency = () => inFlight + queue.length
  const changed = () => onChange(performance.now(), concurrency())

  /** Called when the client of a waiting request has disconnected. */
  function leave(waiting: Waiting): void {
    if (!waiting.queued) return
    queue.remove(waiting)
    end(waiting, undefined)
    changed()
  }

  function send(waiting: Waiting, member: Member): void {
    const { req, res, path, request, body } = waiting
    member.inFlight += 1
    inFlight += 1
    forward(req, res, {
      connections: members.connectionsOf(member),
      path,
      request,
      body,
      onEventStream: () => void eventStreams.add(res),
      onHeaders: onEnd && ((headers) => (waiting.traceId = traceIn(headers['x-trace-id']))),
      finish: (outcome) => finish(waiting, member, outcome),
    })
  }

  function finish(waiting: Waiting, member: Member, outcome: Outcome): void {
    member.inFlight -= 1
    inFlight -= 1
    if (eventStreams.size > 0) eventStreams.delete(waiting.res)
    judge(member, outcome)
    settle(waiting, outcome)
    serve()
    changed()
    if (member.inFlight === 0) member.drained?.()
  }

  /** Draws conclusions about the process from an outcome. */
  function judge(member: Member, outcome: Outcome): void {
    if (outcome === 'late') return
    if (outcome !== 'done') {
      members.doubt(member)
      if (outcome === 'refused') members.giveUp(member)
    } else if (!member.answered) {
      member.answered = true
      onFirstAnswer()
    }
  }

  /** Answers, retries or ends a request after an exchange. */
  function settle(waiting: Waiting, outcome: Outcome): void {
    const verdict = afterExchange(outcome, waiting, closing)
    if (verdict === 'over') return end(waiting, waiting.res.headersSent ? waiting.res.statusCode : undefined)
    if (verdict !== 'retry') return refuse(waiting, verdict, verdict === 'shutting-down' ? 1 : undefined)
    if (waiting.res.destroyed) return end(waiting, undefined)
    waiting.retries += 1
    waiting.suspect ||= outcome === 'unanswered'
    queue.unshift(waiting)
    if (waiting.retries === 1) waiting.res.once('close', () => leave(waiting))
    onWait()
  }

  /** Sends waiting requests until no process can take more. */
  function serve(): void {
    while (queue.first) {
      const member = members.next()
      if (!member) return
      const waiting = queue.shift()
      if (waiting) send(waiting, member)
    }
  }

  function refuseUnstartable(waiting: Waiting, now: number): void {
    refuse(waiting, 'function-cannot-start', Math.max(1, pause(now) / 1000))
  }

  function refuse(waiting: Waiting, name: GatewayProblemName, retryAfterSeconds?: number): void {
    const headers: Record<string, string> = { 'X-Request-Id': waiting.request.requestId }
    if (retryAfterSeconds !== undefined) headers['Retry-After'] = String(Math.ceil(retryAfterSeconds))
    sendProblem(waiting.res, name, headers)
    end(waiting, gatewayProblems[name].status)
  }

  function end({ req, path, request, body, since, traceId }: Waiting, status: number | undefined): void {
    onEnd?.({
      method: req.method ?? 'GET',
      path,
      status,
      ms: performance.now() - since,
      requestId: request.requestId,
      traceId: traceId ?? traceIn(req.headers['traceparent']),
      body: Buffer.isBuffer(body) ? body : undefined,
    })
  }

  /** Removes all requests from the queue, and calls `use` with each. */
  function empty(use: (waiting: Waiting) => void): void {
    for (let waiting = queue.shift(); waiting; waiting = queue.shift()) use(waiting)
  }

  return {
    /** Accepts a request; `path` is its path at the function. Always answers it, unless the client disconnects. */
    accept: (req: IncomingMessage, res: ServerResponse, path: string) =>
      readBody(req, (body) => take(req, res, path, body)),

    serve,

    /** Refuses all waiting requests, because no process starts. */
    refuseAll(now: number): void {
      empty((waiting) => refuseUnstartable(waiting, now))
      changed()
    },

    /** Refuses requests that have waited too long. */
    expire(now: number): void {
      while (queue.first && now - queue.first.since > longestWaitMs) {
        const waiting = queue.shift()
        if (waiting) refuse(waiting, 'overloaded', retryAfterSeconds)
      }
      changed()
    },

    /** Refuses waiting and new requests, and ends event streams. */
    close(): void {
      closing = true
      empty((waiting) => refuse(waiting, 'shutting-down', 1))
      for (const stream of eventStreams) stream.destroy()
    },

    inFlight: () => inFlight,
    queued: () => queue.length,
    /** Returns the number of requests without event streams, which do not end by themselves. */
    busy: () => concurrency() - eventStreams.size,
  }
}

/** Returns the trace id of a header: X-Trace-Id, or a traceparent. */
const traceIn = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' ? /^(?:[\da-f]{2}-)?([\da-f]{32})(?:-|$)/.exec(header)?.[1] : undefined
