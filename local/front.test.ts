import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gatewayProblems } from '../functions/shared/http/gateway-problems.ts'
import { expectProblem } from '../test/problems.ts'
import { sendBytes } from '../test/raw.ts'
import { front } from './front.ts'
import { openServer, type Server } from './server.ts'

let server: Server

beforeAll(async () => {
  server = await openServer(0)
  server.use(
    front(
      (request, response) =>
        void request.resume().once('end', () => response.writeHead(200).end(`function: ${request.url}`)),
      () => ({ functions: {} }),
    ),
  )
})
afterAll(() => server.close())

const ask = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${server.port}${path}`, init)

describe('the pages of the local front', () => {
  const pages = [
    '/',
    '/_scale',
    '/health/readiness',
    '/health/liveness',
    '/openapi.json',
    '/asyncapi.json',
    '/docs',
    '/docs/docs.js',
    '/docs/swagger-ui.css',
    '/docs/swagger-ui-bundle.js',
  ]

  it.each(pages)('are answered to HEAD like to GET, without a body: %s', async (path) => {
    const [got, head] = await Promise.all([ask(path), ask(path, { method: 'HEAD' })])
    expect([got.status, head.status, await head.text()]).toEqual([200, 200, ''])
    expect((await got.text()).length).toBeGreaterThan(10)
    for (const [name, value] of got.headers)
      if (!['date', 'connection', 'keep-alive'].includes(name))
        expect([name, head.headers.get(name)]).toEqual([name, value])
  })

  it.each(pages)('have no other methods: %s', async (path) => {
    const answer = await ask(path, { method: 'POST' })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    expect(await answer.json()).toMatchObject({ type: 'https://zeroshop.dev/problems/method-not-allowed' })
  })

  it.each(pages.filter((path) => !/_scale|health/.test(path)))(
    'are sent once, and after that only if they have changed: %s',
    async (path) => {
      const first = await ask(path)
      await first.bytes()
      const etag = first.headers.get('etag')!
      for (const known of [etag, `W/${etag}`, '*']) {
        const again = await ask(path, { headers: { 'if-none-match': known, 'cache-control': 'max-age=0' } })
        expect([again.status, (await again.bytes()).length]).toEqual([304, 0])
        for (const name of ['etag', 'cache-control'])
          expect(again.headers.get(name)).toBe(first.headers.get(name))
      }
      expect((await ask(path, { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
    },
  )

  it('may be used again without asking if they change only with a new version', async () => {
    const cachingOf = async (path: string) => (await ask(path)).headers.get('cache-control')
    expect(await cachingOf('/docs/swagger-ui-bundle.js')).toBe('public, max-age=3600')
    expect(await cachingOf('/openapi.json')).toBe('no-cache')
  })

  it('begin with one for people and one for programs, whose links lead somewhere', async () => {
    const browser = { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } }
    const [forPeople, forPrograms] = [await ask('/', browser), await ask('/')]
    expect(
      [forPeople, forPrograms].map(({ headers }) => [headers.get('content-type'), headers.get('vary')]),
    ).toEqual([
      ['text/html; charset=utf-8', 'Accept'],
      ['application/json', 'Accept'],
    ])
    const linked = [...(await forPeople.text()).matchAll(/href="([^"]+)"/g)].map(([, path]) => path!)
    const { name, ...links } = (await forPrograms.json()) as Record<string, string>
    expect([name, linked.toSorted()]).toEqual(['Zeroshop', Object.values(links).toSorted()])
    for (const path of linked) expect((await ask(path)).status).toBe(200)
  })

  it('leave every other path to the functions', async () => {
    expect(await (await ask('/api/v1/products?x=1')).text()).toBe('function: /api/v1/products?x=1')
  })
})

describe('the local front', () => {
  const { detail } = gatewayProblems['malformed-request']
  const ends = 'Connection: close\r\n\r\n'

  it.each([
    '[',
    '1.2.3.4.5',
    '[::1',
    'a b',
    'user@shop',
    'shop:http',
    'shop:123456',
    'a..b',
    '1.2.3',
    'http://shop',
    '',
  ])('refuses the Host "%s", for pages and functions', async (host) => {
    for (const path of ['/health/liveness', '/api/v1/products']) {
      const answer = await sendBytes(server.port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${ends}`)
      expectProblem(answer, 'malformed-request', detail)
      expect(answer.headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/)
    }
  })

  it.each([
    'localhost',
    'localhost:8080',
    '127.0.0.1:8080',
    '[::1]:8080',
    'shop.example.org.',
    'a_b.c-d',
    '4you.1st',
  ])('takes the Host %s', async (host) => {
    const answer = await sendBytes(server.port, `GET /health/liveness HTTP/1.1\r\nHost: ${host}\r\n${ends}`)
    expect(answer.status).toBe(200)
  })

  it.each([
    ['no Host', `GET / HTTP/1.1\r\n${ends}`],
    ['two Hosts', `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n${ends}`],
    ['a target that is not a URL', `GET http://[/ HTTP/1.1\r\nHost: a\r\n${ends}`],
    ['a wrong chunk', 'POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ])('refuses a request with %s', async (_, request) =>
    expectProblem(await sendBytes(server.port, request), 'malformed-request', detail),
  )
})
