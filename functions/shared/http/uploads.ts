import type { IncomingMessage, Server } from 'node:http'
import type { OperationRow, ReactionRow } from '../domain.ts'

type Row = Pick<OperationRow, 'method' | 'path' | 'uploadMiB' | 'streamSeconds'>

/**
 * Lets a server read the bodies of operations that read them line by line for as long as their answers may take. Node's
 * limit is that of the whole server, so the bodies of all other requests get the server's former limit here: a client
 * that sends one more slowly is answered with 408.
 */
export function allowUploads(server: Server, rows: readonly (Row | ReactionRow)[]): void {
  const uploads = rows.filter((row): row is Row => 'uploadMiB' in row)
  if (uploads.length === 0) return
  const usual = server.requestTimeout
  const longest = Math.max(...uploads.map(({ streamSeconds = 0 }) => (streamSeconds + 10) * 1000))
  server.requestTimeout = Math.max(usual, longest)
  const isUpload = uploads.map(({ method, path }) => {
    const pattern = new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}(?:\\?|$)`)
    return ({ method: sent, url = '' }: IncomingMessage) => sent === method.toUpperCase() && pattern.test(url)
  })
  server.prependListener('request', (request) => {
    if (!hasBody(request) || isUpload.some((matches) => matches(request))) return
    const limit = setTimeout(() => {
      if (!request.complete) server.emit('clientError', tooSlow(), request.socket)
    }, usual)
    request.once('close', () => clearTimeout(limit))
  })
}

const hasBody = ({ headers }: IncomingMessage) =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'

/** Returns the error that Node reports at its own limit. */
const tooSlow = () => Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
