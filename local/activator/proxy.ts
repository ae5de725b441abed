// Forwards a request to a function's process, and streams the answer back.
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { PassThrough } from 'node:stream'
import type { Dispatcher, errors as Errors, Pool as Pools } from 'undici'
import { responseHeaders, type RequestHeaders } from './headers.ts'

// undici's index would load fetch, WebSocket and caches, too, which takes 12 MiB of memory
const require = createRequire(import.meta.url)
const Pool = require('undici/lib/dispatcher/pool.js') as typeof Pools
const errors = require('undici/lib/core/errors.js') as typeof Errors

/** Bodies up to this size are read before they are sent, in bytes. Streaming them would take 50 % more CPU time. */
const SMALL = 16 * 1024

/** A body that has been read, or `stream` if it is streamed from the request. */
export type Body = Buffer | 'stream' | null

/** Calls `use` with the body of a request: a small one once it has been read, unless the client disconnects before. */
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
 * - `done`: the client got the whole answer, or disconnected.
 * - `cut`: the function ended in the middle of its answer.
 * - `refused`: the connection was refused, so nothing was sent.
 * - `unsent`: the connection failed, so nothing was sent.
 * - `unanswered`: the connection broke before an answer to a GET or HEAD without a body. Such requests are safe to retry
 *   (RFC 9110, section 9.2.2), but only once, because the request may have crashed the process.
 * - `failed`: the connection broke before an answer in any other case. The client still waits.
 * - `late`: there was no answer in time. The client still waits.
 */
export type Outcome = 'done' | 'cut' | 'refused' | 'unsent' | 'unanswered' | 'failed' | 'late'

export type Connections = Pools

/** Returns a pool of keep-alive connections to 127.0.0.1:port. It opens as many as are needed at once. */
export function connectionsTo(port: number, answerWithinMs: number): Connections {
  return new Pool(`http://127.0.0.1:${port}`, {
    headersTimeout: answerWithinMs,
    // an event stream may be silent for a long time
    bodyTimeout: 0,
  })
}

export interface Forwarding {
  connections: Connections
  /** The path and the query. */
  path: string
  request: RequestHeaders
  body: Body
  /** Called when an answer begins that does not end by itself (server-sent events). */
  onEventStream: () => void
  /** Called with the headers of the answer. */
  onHeaders?: ((headers: IncomingHttpHeaders) => void) | undefined
  /** Called once, at the end of the exchange. */
  finish: (outcome: Outcome) => void
}

/**
 * Forwards `req` to a function and its answer to `res`, and calls `finish` exactly once. After `done` and `cut`, the
 * client gets nothing more; otherwise it still needs an answer. After `refused`, `unsent` and `unanswered`, the request
 * may be forwarded again.
 *
 * If the client disconnects, the request to the function is aborted. If the function ends in the middle of its answer,
 * the client's connection is closed, because an error can no longer be sent.
 */
export function forward(req: IncomingMessage, res: ServerResponse, to: Forwarding): void {
  new Exchange(req, res, to).begin()
}

class Exchange implements Dispatcher.DispatchHandler {
  private readonly req: IncomingMessage
  private readonly res: ServerResponse
  private readonly to: Forwarding
  /** Sent instead of `req`, because undici destroys what it sends, and with `req` the client's connection would close. */
  private readonly stream: PassThrough | undefined
  private controller: Dispatcher.DispatchController | undefined
  /** Whether an answer has begun to arrive. */
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

  /** Called when there is a connection. Nothing is read from `req` before, so that it can still be sent elsewhere. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.finished) controller.abort(new errors.RequestAbortedError())
    else if (this.stream) this.req.pipe(this.stream)
  }

  onResponseStarted(): void {
    this.heard = true
  }

  /** Throws if a header is malformed, which aborts the exchange. */
  onResponseStart(_: unknown, status: number, headers: IncomingHttpHeaders, reason?: string): void {
    const { res, to } = this
    // an informational response, such as 103 Early Hints, precedes the answer
    if (status < 200) return
    const passed = responseHeaders(headers, to.request.requestId)
    // the front's own, for pages of other origins
    const vary = res.getHeader('vary')
    if (vary !== undefined && passed['vary'] !== undefined) passed['vary'] = [passed['vary'], vary].join(', ')
    res.writeHead(status, reason, passed)
    to.onHeaders?.(headers)
    if (headers['content-type']?.startsWith('text/event-stream') === true) to.onEventStream()
    // the first byte of such a body may come late (server-sent events), so send the headers now
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
      // read and discard the rest of an upload, so that the client can reuse its connection
      this.req.unpipe(this.stream)
      this.req.resume()
    }
    this.to.finish(outcome)
  }

  /** A request may only be retried if it was not processed or changes nothing. Otherwise the client gets 502 and decides. */
  private failure(error: NodeJS.ErrnoException): Outcome {
    if (!this.controller) return error.code === 'ECONNREFUSED' ? 'refused' : 'unsent'
    if (error instanceof errors.HeadersTimeoutError) return 'late'
    const changesNothing = this.to.body === null && ['GET', 'HEAD'].includes(this.req.method ?? '')
    return changesNothing && !this.heard ? 'unanswered' : 'failed'
  }
}
