// Reads HTTP/1.1 responses from a connection, as strictly as a proxy must (RFC 9112).
import type { RawHeaders } from './headers.ts'

const HEAD_LIMIT = 64 * 1024
const LF = 10
const END_OF_HEAD = '\r\n\r\n'

export interface ResponseHead {
  status: number
  reason: string
  headers: RawHeaders
  /** Bytes of the body, -1 where only its end will tell. */
  length: number
}

export interface ResponseHandler {
  onHead: (head: ResponseHead) => void
  onBody: (chunk: Buffer) => void
  onEnd: () => void
}

type State = 'idle' | 'head' | 'sized' | 'chunk size' | 'chunk' | 'chunk end' | 'trailers' | 'until close'

/**
 * One response at a time: `expect` says that a request was sent, `push` gives what arrived, `close` that no more will.
 *
 * Ours rather than node:http's client because that one costs more than all the rest of the way through the activator:
 * 170 µs of 220 a request, measured on two cores, against 20 for this.
 */
export class ResponseParser {
  /** Whether the connection may carry another request once the response has ended. */
  keepAlive = true
  /** Seconds for which the other side says it keeps an idle connection; node's servers say 5. */
  keepAliveSeconds = 5
  private state: State = 'idle'
  private bodiless = false
  /** Bytes missing of the body or the chunk. */
  private left = 0
  /** The unfinished head or line. */
  private held: Buffer | undefined
  private readonly handler: ResponseHandler

  constructor(handler: ResponseHandler) {
    this.handler = handler
  }

  expect(method: string): void {
    this.state = 'head'
    this.bodiless = method === 'HEAD'
    this.held = undefined
  }

  /** @throws if it is not HTTP/1.1; the connection is of no use then. */
  push(arrived: Buffer): void {
    let chunk = arrived
    if (this.held) {
      chunk = Buffer.concat([this.held, arrived])
      this.held = undefined
    }
    let at = 0
    while (at < chunk.length) {
      const next = this.step(chunk, at)
      if (next === -1) {
        this.held = at === 0 ? chunk : chunk.subarray(at)
        if (this.held.length > HEAD_LIMIT) throw new Error('The head or a line is too long')
        return
      }
      at = next
    }
  }

  /** The connection has ended in good order; tells whether that ended a response whose length was not given. */
  close(): boolean {
    if (this.state !== 'until close') return false
    this.end()
    return true
  }

  /** Reads one element at `at`; returns where the next one begins, or -1 where bytes are missing. */
  private step(chunk: Buffer, at: number): number {
    switch (this.state) {
      case 'head': {
        const end = chunk.indexOf(END_OF_HEAD, at, 'latin1')
        if (end === -1) return -1
        this.head(chunk.toString('latin1', at, end))
        return end + END_OF_HEAD.length
      }
      case 'sized':
      case 'chunk': {
        const end = Math.min(chunk.length, at + this.left)
        this.left -= end - at
        this.handler.onBody(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end))
        if (this.left === 0) {
          if (this.state === 'sized') this.end()
          else this.state = 'chunk end'
        }
        return end
      }
      case 'until close':
        this.handler.onBody(at === 0 ? chunk : chunk.subarray(at))
        return chunk.length
      case 'idle':
        throw new Error('More than was asked for')
      default:
        return this.line(chunk, at)
    }
  }

  private line(chunk: Buffer, at: number): number {
    const end = chunk.indexOf(LF, at)
    if (end === -1) return -1
    const line = chunk.toString('latin1', at, end)
    if (!line.endsWith('\r')) throw new Error('A line must end with CR LF')
    if (this.state === 'chunk size') {
      const size = /^([\da-f]{1,12})[\t ]*(?:;.*)?\r$/i.exec(line)?.[1]
      if (size === undefined) throw new Error('Not a chunk size')
      this.left = Number.parseInt(size, 16)
      this.state = this.left === 0 ? 'trailers' : 'chunk'
    } else if (this.state === 'chunk end') {
      if (line !== '\r') throw new Error('A chunk is longer than it said')
      this.state = 'chunk size'
    } else if (line === '\r') this.end()
    return end + 1
  }

  private head(text: string): void {
    let lineEnd = text.indexOf('\r\n')
    if (lineEnd === -1) lineEnd = text.length
    const start = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: (.*))?$/.exec(text.slice(0, lineEnd))
    if (!start) throw new Error('Not a status line')
    const status = Number(start[2])
    const headers: RawHeaders = []
    let length = -1
    let chunked = false
    let keepAlive = start[1] === '1'
    while (lineEnd < text.length) {
      const from = lineEnd + 2
      lineEnd = text.indexOf('\r\n', from)
      if (lineEnd === -1) lineEnd = text.length
      const colon = text.indexOf(':', from)
      if (colon <= from || colon > lineEnd) throw new Error('Not a header')
      const name = text.slice(from, colon)
      const value = text.slice(colon + 1, lineEnd).trim()
      headers.push(name, value)
      switch (name.length) {
        case 10:
          if (isNamed(name, 'connection')) keepAlive &&= !/\bclose\b/i.test(value)
          else if (isNamed(name, 'keep-alive')) {
            this.keepAliveSeconds = Number(/timeout=(\d+)/.exec(value)?.[1] ?? this.keepAliveSeconds)
          }
          break
        case 14:
          if (isNamed(name, 'content-length')) {
            if (!/^\d{1,15}$/.test(value) || (length !== -1 && length !== Number(value)))
              throw new Error('Not a length')
            length = Number(value)
          }
          break
        case 17:
          if (isNamed(name, 'transfer-encoding')) {
            if (chunked || value.toLowerCase() !== 'chunked') throw new Error('Unknown transfer encoding')
            chunked = true
          }
          break
        default:
      }
    }
    if (chunked && length !== -1) throw new Error('Two lengths')
    // 100 Continue, 103 Early Hints: the answer is still to come.
    if (status < 200) {
      if (status === 101) throw new Error('Nobody asked for an upgrade')
      return
    }
    const empty = this.bodiless || status === 204 || status === 304
    this.keepAlive = keepAlive && (empty || chunked || length !== -1)
    this.handler.onHead({ status, reason: start[3] ?? '', headers, length })
    this.left = length
    if (empty || length === 0) this.end()
    else if (chunked) this.state = 'chunk size'
    else this.state = length === -1 ? 'until close' : 'sized'
  }

  private end(): void {
    this.state = 'idle'
    this.handler.onEnd()
  }
}

function isNamed(name: string, expected: string): boolean {
  return name === expected || name.toLowerCase() === expected
}
