import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { expectProblem } from '../../../test/problems.ts'
import { sendBytes } from '../../../test/raw.ts'
import { serverOptions } from '../process/serve.ts'
import { answerClientErrors } from './client-errors.ts'
import { gatewayProblems } from './gateway-problems.ts'
import { allowUploads } from './uploads.ts'

const usual = { requestTimeout: 100, connectionsCheckingInterval: 20, headersTimeout: 50 }

let server: Server
afterEach(() => {
  server.close()
  server.closeAllConnections()
})

/** Starts a server with one upload, and an operation beside it. */
async function start(): Promise<number> {
  server = createServer(
    { ...serverOptions, ...usual },
    (request, response) => void request.resume().once('end', () => response.end('done')),
  )
  allowUploads(server, [
    { method: 'post', path: '/shelves/{id}/lines', uploadMiB: 1, streamSeconds: 20 },
    { method: 'post', path: '/shelves' },
  ])
  answerClientErrors(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const begin = (line: string) => `${line} HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhe`

describe('a server with an upload', () => {
  it.each(['POST /shelves', 'POST /shelves/1/lines/2', 'PUT /shelves/1/lines'])(
    'refuses the body of another operation that arrives too slowly: %s',
    async (line) =>
      expectProblem(
        await sendBytes(await start(), begin(line)),
        'request-timeout',
        gatewayProblems['request-timeout'].detail,
      ),
  )

  it.each(['POST /shelves/1/lines', 'POST /shelves/1/lines?dry=1'])(
    'reads its body for longer: %s',
    async (line) => {
      const port = await start()
      const [upload, other] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
      upload.write(begin(line))
      other.write(begin('POST /shelves'))
      expect(await text(other)).toMatch(/^HTTP\/1.1 408 /)
      upload.end('llo')
      expect(await text(upload)).toMatch(/^HTTP\/1.1 200 /)
    },
  )
})
