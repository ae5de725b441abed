// Passes one request on to a function's process and its answer back, streaming both ways.
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { PassThrough } from 'node:stream'
import { errors, Pool, type Dispatcher } from 'undici'
import { responseHeaders, type RequestHeaders } from './headers.ts'

/** Up to here, in bytes, a body is read whole: streaming it takes half as much CPU time a request again. */
const SMALL = 16 * 1024

/** A body that is here already, or that leaves the request as the function takes it. */
export type Body = Buffer | 'stream' | null

/** Calls `use` with the request's body, at once unless it is small; never, if the client leaves before it has come. */
export function readBody(req: IncomingMessage, use: (body: Body) => void): void {
  const length = Number(req.headers['content-length'] ?? 0)
  if (req.headers['transfer-encoding'] !== undefined || length > SMALL) use('stream')
  else if (length === 0) use(null)
  else {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.once('end', () => use(Buffer.concat(chunks)))
  }
}

/**
 * - `done`: the exchange is over, to its end or because the client went away; nothing is left to do.
 * - `cut`: as `done`, but the function broke off in the middle of its answer.
 * - `refused`: nobody listens at that port; nothing was sent.
 * - `unsent`: the function surely never saw the request.
 * - `unanswered`: the connection broke before an answer, and the request changes nothing (GET, HEAD). The process may
 *   have died of it, so it is worth one more try at most (RFC 9110, section 9.2.2, allows it).
 * - `failed`: the connection broke before an answer; the client still waits for one.
 * - `late`: as `failed`, as there was no answer in time.
 */
export type Outcome = 'done' | 'cut' | 'refused' | 'unsent' | 'unanswered' | 'failed' | 'late'

export type Connections = Pool

/** The keep-alive connections to a function at 127.0.0.1:port: as many as are in use. */
export function connectionsTo(port: number, answerWithinMs: number): Connections {
  return new Pool(`http://127.0.0.1:${port}`, {
    headersTimeout: answerWithinMs,
    // an event stream is silent for as long as nothing happens
    bodyTimeout: 0,
  })
}

export interface Forwarding {
  connections: Connections
  /** Path with query. */
  path: string
  request: RequestHeaders
  body: Body
  /** Called when an answer begins that lasts until someone ends it (server-sent events). */
  onEventStream: () => void
  /** Called once, when the function has finished with the request. */
  finish: (outcome: Outcome) => void
}

/**
 * Forwards `req` to a function and its answer to `res`, and calls `finish` exactly once. Only `done` and `cut` have used
 * up `req` and `res`; after `refused`, `unsent` and `unanswered` the request may be forwarded again.
 *
 * A client that goes away ends the exchange with the function; a function that breaks off in the middle of its answer
 * ends the connection with the client, as there is no other way left to tell.
 */
export function forward(req: IncomingMessage, res: ServerResponse, to: Forwarding): void {
  new Exchange(req, res, to).begin()
}

class Exchange implements Dispatcher.DispatchHandler {
  private readonly req: IncomingMessage
  private readonly res: ServerResponse
  private readonly to: Forwarding
  /** Not `req` itself, which would be destroyed at the end, and with it the client's connection. */
  private readonly stream: PassThrough | undefined
  private controller: Dispatcher.DispatchController | undefined
  /** Whether anything has come back. */
  private heard = false
  private finished = false

  constructor(req: IncomingMessage, res: ServerResponse, to: Forwarding) {
    this.req = req
    this.res = res
    this.to = to
    if (to.body === 'stream') this.stream = new PassThrough()
  }

  begin(): void {
    const { req, res, to, stream } = this
    const { path, request, body } = to
    const { method = 'GET' } = req
    res.once('close', this.clientGone)
    const sent = body === 'stream' ? stream : body
    to.connections.dispatch({ path, method, headers: request.headers, body: sent ?? null }, this)
  }

  /** There is a connection. Until now no byte of a stream has left `req`, so it could go to another process whole. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.finished) controller.abort(new errors.RequestAbortedError())
    else if (this.stream) this.req.pipe(this.stream)
  }

  onResponseStarted(): void {
    this.heard = true
  }

  /** Throws if a header is malformed, which breaks the exchange off. */
  onResponseStart(_: unknown, status: number, headers: IncomingHttpHeaders, reason?: string): void {
    const { res, to } = this
    // 103 Early Hints: the answer is still to come
    if (status < 200) return
    res.writeHead(status, reason, responseHeaders(headers, to.request.requestId))
    if (headers['content-type']?.startsWith('text/event-stream') === true) to.onEventStream()
    // Nobody knows when the first byte of such a body comes (server-sent events), so the head does not wait for it.
    if (headers['content-length'] === undefined) res.flushHeaders()
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.res.write(chunk)) return
    controller.pause()
    this.res.once('drain', () => controller.resume())
  }

  onResponseEnd(): void {
    this.res.end()
    this.finish('done')
  }

  onResponseError(_: unknown, error: NodeJS.ErrnoException): void {
    if (this.finished) return
    if (this.res.headersSent) {
      this.finish('cut')
      this.res.destroy()
    } else this.finish(this.failure(error))
  }

  private readonly clientGone = (): void => {
    this.finish('done')
    this.controller?.abort(new errors.RequestAbortedError())
  }

  private finish(outcome: Outcome): void {
    this.finished = true
    this.res.off('close', this.clientGone)
    if (this.stream && this.controller) {
      // What is left of an upload has nowhere to go, but must be read for the client's connection to go on.
      this.req.unpipe(this.stream)
      this.req.resume()
    }
    this.to.finish(outcome)
  }

  /** Only what was provably never processed may be tried again; an answer of 502 leaves the rest to the client. */
  private failure(error: NodeJS.ErrnoException): Outcome {
    if (!this.controller) return error.code === 'ECONNREFUSED' ? 'refused' : 'unsent'
    if (error instanceof errors.HeadersTimeoutError) return 'late'
    const changesNothing = this.to.body === null && ['GET', 'HEAD'].includes(this.req.method ?? '')
    return changesNothing && !this.heard ? 'unanswered' : 'failed'
  }
}
