import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { uuidv7 } from 'uuidv7'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openLink } from '../test/link.ts'
import {
  answerOf,
  openProcesses,
  productCreated,
  type Environment,
  type Processes,
} from '../test/processes.ts'
import type { TestShop } from '../test/shop.ts'

let processes: Processes
let shop: TestShop
let good: Environment
beforeAll(async () => {
  processes = await openProcesses()
  ;({ shop, good } = processes)
})
afterEach(() => processes.killAll())
afterAll(() => processes.close())

describe('a running process', () => {
  const health = async (port: number, what: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/health/${what}`)
    return [response.status, response.headers.get('content-type'), await response.text()]
  }
  const ok = [200, 'application/json', '{"status":"ok"}']

  it.each(['get-order', 'reserve-stock'])('is alive and ready with its store: %s', async (FUNCTION) => {
    const port = await processes.start({ ...good, FUNCTION }).port
    expect(await health(port, 'liveness')).toEqual(ok)
    expect(await health(port, 'readiness')).toEqual(ok)
  })

  it.each([
    ['get-order', 'DATABASE_URL', () => shop.database('orders')],
    ['reserve-stock', 'DATABASE_URL', () => shop.database('stock')],
    ['get-product', 'MONGODB_URL', () => shop.mongodb],
  ] as const)('is alive, but not ready, without its store: %s', async (FUNCTION, setting, url) => {
    const link = await openLink(url())
    const port = await processes.start({ ...good, FUNCTION, [setting]: link.url, LOG_LEVEL: 'silent' }).port
    expect(await health(port, 'readiness')).toEqual(ok)
    link.cut()
    expect(await health(port, 'liveness')).toEqual(ok)
    expect(await health(port, 'readiness')).toEqual([503, 'application/json', '{"status":"unavailable"}'])
  })

  it('loads neither undici nor what it does not use of Node, which would slow its start', async () => {
    const { port, child, err } = processes.start({
      ...good,
      FUNCTION: 'get-product',
      MONGODB_URL: shop.mongodb,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(
        "process.on('exit', () => console.error(process.moduleLoadList.join()))",
      )}`,
    })
    const missing = await fetch(`http://127.0.0.1:${await port}/api/v1/products/${uuidv7()}`)
    expect([missing.status, missing.headers.get('ratelimit-policy')]).toEqual([404, expect.any(String)])
    child.kill('SIGTERM')
    const loaded = (await err).split(',')
    expect(loaded).toContain('NativeModule http')
    for (const name of ['internal/deps/undici/undici', 'http2', 'https', 'tls'])
      expect(loaded).not.toContain(`NativeModule ${name}`)
  })

  it('returns a problem if its store cannot be reached, and logs the cause without secrets', async () => {
    const link = await openLink(shop.database('orders'))
    const { port, child, out } = processes.start({ ...good, DATABASE_URL: link.url })
    await port
    link.cut()
    const token = await shop.sign(shop.users.customer)
    const response = await fetch(`http://127.0.0.1:${await port}/api/v1/orders/${uuidv7()}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    expect([response.status, response.headers.get('retry-after'), await response.json()]).toEqual([
      503,
      '2',
      {
        type: 'https://zeroshop.dev/problems/store-unavailable',
        title: 'A store cannot be reached just now',
        status: 503,
        detail: 'Try again in a moment.',
      },
    ])
    child.kill('SIGTERM')
    const log = await out
    expect(log).toContain('ECONNREFUSED')
    expect(log).not.toContain(token)
  })

  it('serves only its own function', async () => {
    const port = await processes.start(good).port
    const statuses = await Promise.all(
      ['/api/v1/orders', `/api/v1/orders/${uuidv7()}`, '/nothing'].map(
        async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).status,
      ),
    )
    expect(statuses).toEqual([404, 401, 404])
  })

  it('serves a whole domain, and finds a reaction by the host name', async () => {
    const port = await processes.start({ ...good, FUNCTION: 'stock', DATABASE_URL: shop.database('stock') })
      .port
    const ask = async (
      host: string,
      method: string,
      path: string,
      event?: { headers: Record<string, string>; body: string },
    ) => {
      const headers = { host, ...event?.headers }
      const request = httpRequest({ port, host: '127.0.0.1', method, path, headers })
      request.end(event?.body)
      return answerOf(request)
    }
    const sku = 'GROUPED'
    const event = productCreated(sku)
    const unsigned = { headers: { 'content-type': event.headers['content-type']! }, body: event.body }
    expect(await ask('open-stock:8080', 'POST', '/', unsigned)).toMatchObject({ status: 401 })
    expect(await ask('open-stock:8080', 'POST', '/', event)).toMatchObject({ status: 204 })
    // the dispatcher starts functions in this way
    expect(await ask('open-stock:8080', 'GET', '/health/liveness')).toMatchObject({ status: 200 })
    const answer = await ask('get-stock:8080', 'GET', `/api/v1/stock/${sku}`)
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([200, { sku, available: 0 }])
    expect(await ask('localhost', 'POST', '/', event)).toMatchObject({ status: 404 })
    expect(await health(port, 'readiness')).toEqual(ok)
  })

  it('reads its secrets from files', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'zeroshop-'))
    const file = join(folder, 'database-url')
    writeFileSync(file, `${shop.database('orders')}\n`)
    const { DATABASE_URL: _, ...rest } = good
    const port = await processes.start({ ...rest, DATABASE_URL_FILE: file }).port
    rmSync(folder, { recursive: true })
    expect(await health(port, 'readiness')).toEqual(ok)
  })
})
