// Passes one request on to a function's process and its answer back, streaming both ways.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Connection, Connections, User } from './connections.ts'
import { responseHeaders } from './headers.ts'
import type { RequestHeaders } from './headers.ts'
import type { ResponseHead } from './response-parser.ts'

/** Up to here, copying a body to send it in one piece with the head is cheaper than sending both. */
const SMALL = 16 * 1024

/**
 * - `done`: the exchange is over, to its end or because one side went away; nothing is left to do.
 * - `cut`: as `done`, but the function broke off in the middle of its answer.
 * - `refused`: nobody listens at that port; nothing was sent.
 * - `unsent`: the function surely never saw the request.
 * - `stale`: an idle connection broke just as the request left, and the request changes nothing (GET, HEAD).
 * - `unanswered`: as `stale`, but on a new connection: the process may have died of it, so it is worth one more try at
 *   most (RFC 9110, section 9.2.2, allows it).
 * - `failed`: the connection broke before an answer; the client still waits for one.
 */
export type Outcome = 'done' | 'cut' | 'refused' | 'unsent' | 'stale' | 'unanswered' | 'failed'

export interface Forwarding {
  connections: Connections
  /** Path with query. */
  path: string
  request: RequestHeaders
  /** Called when an answer begins that lasts until someone ends it (server-sent events). */
  onEventStream: () => void
  /** Called once, when the function has finished with the request. */
  finish: (outcome: Outcome) => void
}

/**
 * Forwards `req` to a function and its answer to `res`, and calls `finish` exactly once. Only `done` and `cut` have used up `req`
 * and `res`; after any other but `failed` the request may be forwarded again.
 *
 * A client that goes away ends the exchange with the function; a function that breaks off in the middle of its answer
 * ends the connection with the client, as there is no other way left to tell.
 */
export function forward(req: IncomingMessage, res: ServerResponse, to: Forwarding): void {
  new Exchange(req, res, to).begin()
}

class Exchange implements User {
  private readonly req: IncomingMessage
  private readonly res: ServerResponse
  private readonly to: Forwarding
  private readonly connection: Connection
  private finished = false
  /** Whether the request's body has begun to leave `req`, and whether all of it has. */
  private sending = false
  private sent = false
  private answering = false
  private length = -1
  private received = 0

  constructor(req: IncomingMessage, res: ServerResponse, to: Forwarding) {
    this.req = req
    this.res = res
    this.to = to
    this.connection = to.connections.take()
  }

  begin(): void {
    const { connection, req, res, to } = this
    connection.user = this
    connection.heard = false
    connection.parser.expect(req.method ?? 'GET')
    res.once('close', this.clientGone)
    if (to.request.body === undefined) {
      this.sent = true
      connection.socket.write(this.head(), 'latin1')
    }
    // A body leaves `req` only once there is a connection: until then the request can go to another process whole.
    else if (connection.connected) this.sendBody()
  }

  onConnect(): void {
    if (this.to.request.body !== undefined) this.sendBody()
  }

  private head(): string {
    return `${this.req.method} ${this.to.path} HTTP/1.1\r\n${this.to.request.lines}\r\n`
  }

  private sendBody(): void {
    const { req, connection } = this
    const { socket } = connection
    const chunked = this.to.request.body === 'chunked'
    this.sending = true
    // What has come of the body leaves together with the head, which does not wait for more.
    socket.cork()
    socket.write(this.head(), 'latin1')
    setImmediate(() => socket.uncork())
    req.on('data', (chunk: Buffer) => {
      if (this.finished) return
      if (chunked) socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
      const goOn = socket.write(chunk)
      if (chunked) socket.write('\r\n', 'latin1')
      if (!goOn) req.pause()
    })
    req.once('end', () => {
      if (this.finished) return
      this.sent = true
      if (chunked) socket.write('0\r\n\r\n', 'latin1')
    })
  }

  onDrain(): void {
    if (this.sending) this.req.resume()
  }

  onHead({ status, reason, headers, length }: ResponseHead): void {
    const { res, to } = this
    this.length = length
    const answer = responseHeaders(headers, to.request.requestId)
    // Throws if a header is malformed, which breaks the exchange off.
    res.writeHead(status, reason, answer.headers)
    this.answering = true
    if (answer.eventStream) to.onEventStream()
  }

  onBody(chunk: Buffer): void {
    const { res } = this
    this.received += chunk.length
    // Head, body and end in one write, which most answers fit in.
    if (this.received === this.length) {
      if (chunk.length <= SMALL) res.end(chunk.toString('latin1'), 'latin1')
      else res.end(chunk)
    } else if (!res.write(chunk)) {
      const { socket } = this.connection
      socket.pause()
      res.once('drain', () => socket.resume())
    }
  }

  onPause(): void {
    // Nobody knows when the first byte of the body comes (server-sent events), so the head does not wait for it.
    if (this.answering && this.received === 0) this.res.flushHeaders()
  }

  onEnd(): void {
    const { connection, res, to } = this
    if (!res.writableEnded) res.end()
    this.finish('done', () => {
      if (connection.parser.keepAlive && this.sent) {
        if (connection.socket.isPaused()) connection.socket.resume()
        to.connections.give(connection)
      } else connection.socket.destroy()
    })
  }

  onBroken(error?: NodeJS.ErrnoException): void {
    if (this.finished) return
    const { connection, res } = this
    if (this.answering) {
      this.finish('cut')
      res.destroy()
    } else this.finish(this.failure(error))
    connection.socket.destroy()
  }

  private readonly clientGone = (): void => {
    if (this.finished) return
    this.finish('done')
    this.connection.socket.destroy()
  }

  private finish(outcome: Outcome, release?: () => void): void {
    if (this.finished) return
    this.finished = true
    this.connection.user = undefined
    this.res.off('close', this.clientGone)
    // What is left of an upload has nowhere to go, but must be read for the client's connection to go on.
    if (this.sending && !this.sent) this.req.resume()
    release?.()
    this.to.finish(outcome)
  }

  /** Only what was provably never processed may be tried again; an answer of 502 leaves the rest to the client. */
  private failure(error: NodeJS.ErrnoException | undefined): Outcome {
    const { connection, req } = this
    if (!connection.connected) return error?.code === 'ECONNREFUSED' ? 'refused' : 'unsent'
    if (this.to.request.body !== undefined) return this.sending ? 'failed' : 'unsent'
    if (connection.heard || (req.method !== 'GET' && req.method !== 'HEAD')) return 'failed'
    return connection.reused ? 'stale' : 'unanswered'
  }
}
