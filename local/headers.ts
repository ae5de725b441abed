// Which headers pass from one connection to the next (RFC 9110, section 7.6.1).
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** What ends here: hop-by-hop headers, and those that are written anew. By length, as most names need no look then. */
const ended = byLength([
  'te',
  'expect', // the front's server has answered it with 100 Continue
  'trailer',
  'upgrade',
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'proxy-authenticate',
  'proxy-authorization',
  'x-request-id',
  'x-forwarded-for',
])
/** What a client may not have removed by naming it in Connection: framing and addressing. */
const kept = new Set(['host', 'content-length'])
const none: ReadonlySet<string> = new Set()

/** `[name, value, name, value, …]`, as node:http takes and gives it. */
export type RawHeaders = string[]

export interface RequestHeaders {
  /** As they go over the wire: `Name: value\r\n…`, in latin1. */
  lines: string
  requestId: string
  /** Undefined when there is no body. */
  body: 'sized' | 'chunked' | undefined
}

/** The headers for the function: X-Forwarded-For with the client's address appended, and an X-Request-Id. */
export function requestHeaders(req: IncomingMessage): RequestHeaders {
  const raw = req.rawHeaders
  const named = namedByConnection(raw)
  let lines = ''
  let forwardedFor = ''
  let requestId: string | undefined
  let length: string | undefined
  let chunked = false
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const value = raw[i + 1] ?? ''
    const end = endedName(name)
    if (end === undefined) {
      if (named.size > 0 && named.has(name.toLowerCase())) continue
      if (name.length === 14 && name.toLowerCase() === 'content-length') length = value
      lines += `${name}: ${value}\r\n`
    } else if (end === 'x-forwarded-for') forwardedFor += `${value}, `
    else if (end === 'x-request-id') requestId = value
    else if (end === 'transfer-encoding') chunked = true
  }
  if (requestId === undefined || !/^[\w.:-]{1,128}$/.test(requestId)) requestId = randomUUID()
  lines += `X-Forwarded-For: ${forwardedFor}${req.socket.remoteAddress ?? 'unknown'}\r\nX-Request-Id: ${requestId}\r\n`
  if (chunked) lines += 'Transfer-Encoding: chunked\r\n'
  // Said aloud, as some servers want a length for every POST.
  else if (length === undefined && req.method !== 'GET' && req.method !== 'HEAD')
    lines += 'Content-Length: 0\r\n'

  let body: RequestHeaders['body']
  if (chunked) body = 'chunked'
  else if (length !== undefined && Number(length) !== 0) body = 'sized'
  return { lines, requestId, body }
}

/** The headers for the client, and whether the answer is a stream of server-sent events. */
export function responseHeaders(
  raw: RawHeaders,
  requestId: string,
): { headers: RawHeaders; eventStream: boolean } {
  const named = namedByConnection(raw)
  const headers: RawHeaders = []
  let eventStream = false
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const value = raw[i + 1] ?? ''
    if (endedName(name) !== undefined || (named.size > 0 && named.has(name.toLowerCase()))) continue
    if (name.length === 12 && value.startsWith('text/event-stream')) eventStream = true
    headers.push(name, value)
  }
  headers.push('X-Request-Id', requestId)
  return { headers, eventStream }
}

function endedName(name: string): string | undefined {
  const candidates = ended[name.length]
  if (!candidates) return undefined
  const lower = name.toLowerCase()
  return candidates.includes(lower) ? lower : undefined
}

/** The headers that Connection says are for this connection only; seldom any. */
function namedByConnection(raw: RawHeaders): ReadonlySet<string> {
  let named: Set<string> | undefined
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (raw[i]?.length !== 10 || raw[i]?.toLowerCase() !== 'connection') continue
    const value = raw[i + 1] ?? ''
    if (value === 'keep-alive' || value === 'close') continue
    named ??= new Set()
    for (const token of value.split(',')) {
      const name = token.trim().toLowerCase()
      if (!kept.has(name)) named.add(name)
    }
  }
  return named ?? none
}

function byLength(names: string[]): (string[] | undefined)[] {
  const table: (string[] | undefined)[] = []
  for (const name of names) (table[name.length] ??= []).push(name)
  return Array.from(table)
}
