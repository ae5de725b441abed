import { randomUUID } from 'node:crypto'
import { STATUS_CODES, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { gatewayProblemBody, gatewayProblems, type GatewayProblemName } from './gateway-problems.ts'

/** The problems of requests that Node's parser refuses, by its error codes. */
const problemOf: Readonly<Record<string, GatewayProblemName>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
}

/** How long a client has to read its answer before the connection is closed for good, in ms. */
const lingerMs = 1_000

/**
 * Has the server answer requests that are not HTTP, too large or too slow with a problem. Node's own answers have
 * neither a body nor a request id.
 */
export function answerClientErrors(server: Server): void {
  const answers = new WeakMap<Duplex, ServerResponse>()
  server.prependListener('request', ({ socket }, response) => answers.set(socket, response))
  server.on('clientError', ({ code = '' }: NodeJS.ErrnoException, socket) => {
    const answer = answers.get(socket)
    const hasBegun = answer?.headersSent === true && !answer.writableFinished
    if (!socket.writable || hasBegun || code === 'ECONNRESET') {
      socket.destroy()
      return
    }
    socket.end(rawAnswer(problemOf[code] ?? 'malformed-request'))
    // closing at once could reset the connection before the client has read the answer
    setTimeout(() => socket.destroy(), lingerMs).unref()
  })
}

function rawAnswer(name: GatewayProblemName): string {
  const { status } = gatewayProblems[name]
  const body = gatewayProblemBody(name)
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    `X-Request-Id: ${randomUUID()}`,
    `Date: ${new Date().toUTCString()}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}
