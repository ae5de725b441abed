import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, expect, it } from 'vitest'
import { freePort } from '../../../local/ports.ts'
import { get, post } from './client.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

/** Returns the URL of a server. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // a server on a TCP port has an AddressInfo
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

const delivery = { headers: { 'x-test': 'yes' }, body: Buffer.from('Größe'), timeoutMs: 5_000 }

it('sends headers and bytes, and returns status and body, on one connection', async () => {
  const ports = new Set<number | undefined>()
  const url = await serve((request, response) => {
    ports.add(request.socket.remotePort)
    void text(request).then((body) =>
      response.writeHead(422).end(`${request.method} ${String(request.headers['x-test'])} ${body}`),
    )
  })
  for (let i = 0; i < 3; i++)
    expect(await post(url, delivery)).toMatchObject({ status: 422, answer: 'POST yes Größe' })
  expect(ports.size).toBe(1)
})

it('sends a GET request without a body', async () => {
  const url = await serve((request, response) => {
    const { 'transfer-encoding': encoding, 'content-length': length } = request.headers
    response.end([request.method, String(request.headers['x-test']), encoding, length].join())
  })
  expect(await get(url, { headers: { 'x-test': 'yes' }, timeoutMs: 5_000 })).toMatchObject({
    status: 200,
    answer: 'GET,yes,,',
  })
})

it('rejects if the server breaks off its response', async () => {
  const url = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('{')
    setImmediate(() => response.destroy())
  })
  await expect(post(url, delivery)).rejects.toMatchObject({ code: 'ECONNRESET' })
})

it('rejects if nobody listens, with the code of the system', async () => {
  await expect(post(`http://127.0.0.1:${await freePort()}/`, delivery)).rejects.toMatchObject({
    code: 'ECONNREFUSED',
  })
})

it.each([
  ['headers', () => {}],
  ['body', (response) => void response.writeHead(200).write('{')],
] as [string, (response: Parameters<RequestListener>[1]) => void][])(
  'rejects if the %s of the response does not come in time',
  async (_, respond) => {
    const url = await serve((_request, response) => respond(response))
    await expect(post(url, { ...delivery, timeoutMs: 50 })).rejects.toMatchObject({
      name: 'TimeoutError',
      message: 'no response within 0.05 s',
    })
  },
)
