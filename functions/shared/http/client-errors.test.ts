import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { expectProblem, type problems } from '../../../test/problems.ts'
import { sendBytes } from '../../../test/raw.ts'
import { serverOptions } from '../process/serve.ts'
import { answerClientErrors } from './client-errors.ts'
import { gatewayProblems } from './gateway-problems.ts'

let server: Server
afterEach(() => {
  server.close()
  server.closeAllConnections()
})

const onceRead: RequestListener = (request, response) =>
  void request.resume().once('end', () => response.end('done'))

async function start(options: object = {}, answer = onceRead): Promise<number> {
  server = createServer({ ...serverOptions, ...options }, answer)
  answerClientErrors(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const chunked = 'POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n'

const refused: [
  what: string,
  request: string,
  problem: keyof typeof problems & keyof typeof gatewayProblems,
][] = [
  ['what is not HTTP', 'hello\r\n\r\n', 'malformed-request'],
  ['TLS', '\x16\x03\x01\x02\0', 'malformed-request'],
  ['a header without a name', 'GET / HTTP/1.1\r\nHost: shop\r\n: x\r\n\r\n', 'malformed-request'],
  [
    'two lengths',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    'malformed-request',
  ],
  [
    'a length and chunks',
    `${chunked.replace('\r\n\r\n', '\r\nContent-Length: 3\r\n\r\n')}0\r\n\r\n`,
    'malformed-request',
  ],
  ['a wrong chunk', `${chunked}5\r\nhello\r\nzz\r\n`, 'malformed-request'],
  [
    'headers of more than 16 KiB',
    `GET / HTTP/1.1\r\nHost: shop\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`,
    'headers-too-large',
  ],
  [
    'a chunk extension of more than 16 KiB',
    `${chunked}5;${'x'.repeat(17_000)}\r\nhello\r\n`,
    'body-too-large',
  ],
]

describe('a server', () => {
  it.each(refused)('refuses %s with a problem', async (_, request, problem) => {
    const port = await start()
    const answer = await sendBytes(port, request)
    expectProblem(answer, problem, gatewayProblems[problem].detail)
    expect(answer.headers.get('connection')).toBe('close')
    expect(answer.headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/)
  })

  it.each([
    ['head', 'GET / HTTP/1.1\r\nHost: shop\r\n'],
    ['body', 'POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhe'],
  ])('refuses a request whose %s does not arrive with a problem', async (_, begin) => {
    const port = await start({ headersTimeout: 50, requestTimeout: 100, connectionsCheckingInterval: 20 })
    expectProblem(await sendBytes(port, begin), 'request-timeout', gatewayProblems['request-timeout'].detail)
  })

  it('answers first what came before on the same connection', async () => {
    const port = await start()
    const socket = connect(port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: shop\r\n\r\n')
    const [first] = (await once(socket, 'data')) as [Buffer]
    expect(String(first)).toMatch(/^HTTP\/1.1 200 /)
    socket.write('nonsense\r\n\r\n')
    expect(await text(socket)).toMatch(/^HTTP\/1.1 400 /)
  })

  it('adds nothing to an answer that has begun', async () => {
    const port = await start({}, (_, response) => void response.write('begun'))
    const socket = connect(port, '127.0.0.1')
    socket.write(chunked)
    await once(socket, 'data')
    socket.write('zz\r\n')
    expect(await text(socket)).not.toContain('400')
  })
})
