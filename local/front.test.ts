import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { front } from './front.ts'
import { openServer, type Server } from './server.ts'

let server: Server

beforeAll(async () => {
  server = await openServer(0)
  server.use(
    front(
      (request, response) => void response.writeHead(200).end(`function: ${request.url}`),
      () => ({ functions: {} }),
    ),
  )
})
afterAll(() => server.close())

const ask = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${server.port}${path}`, init)

describe('the pages of the local front', () => {
  const pages = [
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

  it('leave every other path to the functions', async () => {
    expect(await (await ask('/api/v1/products?x=1')).text()).toBe('function: /api/v1/products?x=1')
  })
})
