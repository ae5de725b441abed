import type { IncomingMessage } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { operations } from '../functions/table.ts'
import { readOrigins, type Origins } from './cors.ts'
import { front } from './front.ts'
import { openServer, type Server } from './server.ts'

const shopfront = 'https://shop.example.org'
let servers: Record<'none' | 'listed' | 'any', Server>
/** What reached the functions. */
let received: IncomingMessage[] = []

async function open(origins?: Origins): Promise<Server> {
  const server = await openServer(0)
  const api = front(
    (request, response) => {
      received.push(request)
      response.writeHead(request.url === '/api/v1/orders' ? 401 : 404, { vary: 'Accept' }).end()
    },
    () => ({}),
    origins,
  )
  server.use(api)
  return server
}

beforeAll(async () => {
  servers = {
    none: await open(),
    listed: await open([shopfront, 'http://localhost:3000']),
    any: await open('*'),
  }
})
afterEach(() => {
  received = []
})
afterAll(() => {
  for (const server of Object.values(servers)) server.close()
})

const ask = (
  server: keyof typeof servers,
  method: string,
  path: string,
  origin: string | undefined,
  headers: Record<string, string> = {},
) =>
  fetch(`http://127.0.0.1:${servers[server].port}${path}`, {
    method,
    headers: { ...headers, ...(origin === undefined ? {} : { origin }) },
  })

const preflight = (server: keyof typeof servers, path: string, origin: string) =>
  ask(server, 'OPTIONS', path, origin, { 'access-control-request-method': 'POST' })

const paths = [...new Set(Object.values(operations).map(({ path }) => path))]

describe('a preflight', () => {
  it.each(paths)('is answered without a function, with the methods of its path: %s', async (path) => {
    const answer = await preflight('listed', path.replaceAll(/\{\w+\}/g, 'x'), shopfront)
    const methods = Object.values(operations)
      .filter((row) => row.path === path)
      .map(({ method }) => method.toUpperCase())
    expect([answer.status, await answer.text(), received]).toEqual([204, '', []])
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'access-control-allow-origin': shopfront,
      'access-control-allow-headers': expect.stringContaining(
        'Authorization, Cart-Token, Content-Type, Idempotency-Key, If-Match',
      ) as string,
      'access-control-max-age': '7200',
      vary: 'Origin',
    })
    expect(answer.headers.get('access-control-allow-methods')!.split(', ')).toEqual(
      expect.arrayContaining(methods),
    )
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
  })

  it('is answered for documents, and for any origin if all may call', async () => {
    const answer = await preflight('any', '/openapi.json', 'null')
    expect(answer.status).toBe(204)
    expect(answer.headers.get('access-control-allow-methods')).toBe('GET, HEAD')
    expect(answer.headers.get('access-control-allow-origin')).toBe('null')
  })

  it.each([
    ['of another origin', 'listed', '/api/v1/orders', 'https://evil.example'],
    ['of an origin that begins like one that may', 'listed', '/api/v1/orders', `${shopfront}.evil.example`],
    ['if no origin may call', 'none', '/api/v1/orders', shopfront],
    ['for an address that there is not', 'listed', '/api/v1/nothing', shopfront],
  ] as const)('is no different from another request %s', async (_, server, path, origin) => {
    const answer = await preflight(server, path, origin)
    expect([answer.status, received.length]).toEqual([path === '/api/v1/orders' ? 401 : 404, 1])
    expect(answer.headers.get('access-control-allow-methods')).toBeNull()
  })
})

describe('an answer', () => {
  it.each(['/api/v1/orders', '/api/v1/nothing', '/openapi.json', '/health/liveness'])(
    'may be read by a page of an allowed origin, whoever answers: %s',
    async (path) => {
      const { headers } = await ask('listed', 'GET', path, shopfront)
      expect(headers.get('access-control-allow-origin')).toBe(shopfront)
      expect(headers.get('access-control-expose-headers')!.split(', ')).toEqual(
        expect.arrayContaining(['ETag', 'Location', 'Link', 'Retry-After', 'RateLimit', 'X-Request-Id']),
      )
      expect(headers.get('access-control-allow-credentials')).toBeNull()
    },
  )

  it('may not be read by a page of another origin, and says that it depends on the origin', async () => {
    for (const origin of ['https://evil.example', undefined]) {
      const { headers } = await ask('listed', 'GET', '/openapi.json', origin)
      expect([headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([null, 'Origin'])
    }
    const { headers } = await ask('none', 'GET', '/openapi.json', shopfront)
    expect([headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([null, null])
  })
})

describe('CORS_ORIGINS', () => {
  it('lists origins, or allows any', () => {
    expect(readOrigins()).toEqual([])
    expect(readOrigins(' ')).toEqual([])
    expect(readOrigins('*')).toBe('*')
    expect(readOrigins('https://a.example, http://localhost:3000  https://b.example:8443')).toEqual([
      'https://a.example',
      'http://localhost:3000',
      'https://b.example:8443',
    ])
  })

  it.each([
    'a.example',
    'https://a.example/',
    'https://a.example/path',
    'https://A.example',
    '* https://a.example',
    'null',
  ])('must not be %s', (setting) => {
    expect(() => readOrigins(setting)).toThrow(/CORS_ORIGINS: \S+ is not an origin\. Set it to/)
  })
})
