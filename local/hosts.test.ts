import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onlyFor } from './hosts.ts'
import { openServer, type Server } from './server.ts'

describe('the local front', () => {
  let server: Server
  beforeAll(async () => {
    server = await openServer(0)
    server.use(onlyFor(['shop.test', '10.0.0.7'], (_, response) => void response.writeHead(204).end()))
  })
  afterAll(() => server.close())

  const ask = async (host: string, path = '/') => {
    // fetch sets the Host itself
    const asking = request({ host: '127.0.0.1', port: server.port, path, headers: { host } }).end()
    const [answer] = (await once(asking, 'response')) as [IncomingMessage]
    return answer
  }

  it.each([
    'localhost',
    'localhost:8080',
    'LOCALHOST.',
    'shop.localhost:8080',
    '127.0.0.1:8080',
    '127.1.2.3',
    '[::1]:8080',
    'shop.test',
    'Shop.test:8080',
    '10.0.0.7',
  ])('answers for %s', async (host) => {
    const answer = await ask(host)
    answer.resume()
    expect(answer.statusCode).toBe(204)
  })

  it.each([
    ['evil.example', '/'],
    ['evil.example:8080', '/'],
    ['localhost.evil.example', '/'],
    ['127.0.0.1.evil.example', '/'],
    ['10.0.0.8', '/'],
    ['[::2]', '/'],
    ['localhost', 'http://evil.example/'],
  ])('refuses requests for %s with the target %s', async (host, path) => {
    const answer = await ask(host, path)
    expect(answer.statusCode).toBe(421)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(await json(answer)).toMatchObject({ type: 'https://zeroshop.dev/problems/misdirected-request' })
  })
})
