// Selects the headers that a proxy forwards (RFC 9110, section 7.6.1).
import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

const hopByHop = new Set([
  'connection',
  'expect', // our server has already answered it with 100 Continue
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
/** Headers that are forwarded even if Connection names them, because the request would change without them. */
const kept = new Set(['host', 'content-length'])

export type Headers = Record<string, string | string[]>

export interface RequestHeaders {
  headers: Headers
  requestId: string
}

/** Returns the headers for the function. The client's address is appended to X-Forwarded-For; X-Request-Id is set. */
export function requestHeaders(request: IncomingMessage): RequestHeaders {
  const { headers, socket } = request
  const requestId = requestIdOf(request)
  const passed = endToEnd(headers)
  const forwardedFor = headers['x-forwarded-for']
  const address = socket.remoteAddress ?? 'unknown'
  passed['x-forwarded-for'] = forwardedFor === undefined ? address : `${String(forwardedFor)}, ${address}`
  passed['x-request-id'] = requestId
  return { headers: passed, requestId }
}

/** Returns the request's X-Request-Id if it is well formed, otherwise a new one. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID()
}

export function responseHeaders(headers: IncomingHttpHeaders, requestId: string): Headers {
  const passed = endToEnd(headers)
  passed['x-request-id'] = requestId
  return passed
}

function endToEnd(headers: IncomingHttpHeaders): Headers {
  const named = namedBy(headers.connection)
  const passed: Headers = {}
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value !== undefined && !hopByHop.has(name) && named?.has(name) !== true) passed[name] = value
  }
  return passed
}

/** Returns the headers that Connection limits to this connection; undefined in the usual case that it names none. */
function namedBy(connection: string | string[] | undefined): Set<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined
  const names = String(connection).toLowerCase().split(',')
  return new Set(names.map((name) => name.trim()).filter((name) => !kept.has(name)))
}
