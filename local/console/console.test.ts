import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { outbox } from '../../events/tables.ts'
import { openPostgres, type Db } from '../../functions/shared/store/postgres.ts'
import { placeOrder } from '../../demo/client/orders.ts'
import { waitForEntries } from '../../demo/client/timeline.ts'
import type { Person } from '../../demo/client/shop.ts'
import { startTestSystem, type TestSystem } from '../../test/system.ts'
import type { DeliveryState, Letter, News, Trace } from './wire.ts'

let shop: TestSystem
let customer: Person
let db: Db

beforeAll(async () => {
  shop = await startTestSystem({ OTEL_METRIC_EXPORT_INTERVAL: '200' }, false, { traces: true })
  customer = await shop.register()
  db = openPostgres(shop.system.environment.database('events'), { max: 1 })
})
afterAll(async () => {
  await db?.close()
  await shop?.stop()
})

const at = (path: string) => `${shop.url}/_console${path}`

const streams: AbortController[] = []
afterEach(() => streams.splice(0).forEach((stream) => stream.abort()))

/** Opens the event stream. `until` reads on until a message has what is asked for, and returns that. */
async function open() {
  const leaving = new AbortController()
  streams.push(leaving)
  const response = await fetch(at('/events'), { signal: leaving.signal })
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
  const reader = response
    .body!.pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
    .getReader()
  let text = ''
  return {
    text: () => text,
    async until<T>(found: (news: News) => T | undefined): Promise<T> {
      for (;;) {
        const { value, done } = await reader.read()
        if (done) throw new Error('the stream has ended')
        text += value.data
        const result = found(JSON.parse(value.data) as News)
        if (result !== undefined) return result
      }
    },
    close: () => leaving.abort(),
  }
}

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(at(path), {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: shop.url, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

const stateOf = ({ events }: News): DeliveryState | undefined =>
  events !== undefined && 'letters' in events ? events : undefined

/** Emits an event that its reaction can never handle. Returns its id. */
/** Emits an event that its only reaction can never handle. */
async function emitBroken(): Promise<string> {
  const id = randomUUID()
  await db
    .insert(outbox)
    .values({ id, type: 'payment.authorized', source: '/payments', subject: randomUUID(), data: {} })
  return id
}

describe('the event stream of the console', () => {
  it('tells what happened before, and then what happens', async () => {
    const { id } = await placeOrder(customer, [{ sku: 'MUG-BLUE', quantity: 1 }])
    await waitForEntries(customer, id, 'order.confirmed')
    const stream = await open()
    const first = await stream.until((news) => news)
    expect(first.isFirst).toBe(true)
    expect(first.functions?.['create-order']).toMatchObject({
      state: 'ready',
      ready: 1,
      answered: 1,
      failed: 0,
    })
    expect(first.decisions?.find(({ name }) => name === 'create-order')).toMatchObject({
      from: 0,
      to: 1,
      reason: expect.stringMatching(/^1 request after an idle window, \d+ per instance$/) as string,
      desired: 1,
      panic: false,
    })
    expect(first.requests?.find(({ name }) => name === 'create-order')).toMatchObject({
      method: 'POST',
      route: '/api/v1/orders',
      status: 201,
      id: expect.stringMatching(/^[\da-f-]{36}$/) as string,
    })
    for (const [reaction, type] of [
      ['reserve-stock', 'order.placed'],
      ['authorize-payment', 'stock.reserved'],
      ['confirm-order', 'payment.authorized'],
    ])
      expect(first.deliveries?.find((delivery) => delivery.reaction === reaction)).toMatchObject({
        events: [[type, 1]],
        status: 204,
      })

    const user = customer.GET('/users/{id}', { params: { path: { id: customer.user.id } } })
    const asked = await stream.until(({ requests }) => requests?.find(({ name }) => name === 'get-user'))
    expect(asked).toMatchObject({ route: '/api/v1/users/{id}', status: 200 })
    await user
  })

  it('contains no header, body, query or address', async () => {
    const canary = `canary-${randomUUID()}`
    const stream = await open()
    await fetch(`${shop.url}/api/v1/products?sku=${canary}`, {
      headers: { authorization: `Bearer ${canary}`, 'user-agent': canary },
    })
    await fetch(`${shop.url}/api/v1/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: `${canary}@example.com`, password: canary }),
    })
    await stream.until(({ requests }) =>
      requests?.find(({ name, status }) => name === 'log-in' && status === 401),
    )
    expect(stream.text()).not.toContain(canary)
    expect(stream.text()).not.toContain('127.0.0.1')
  })

  it('holds a connection to the database only while it is read', async () => {
    const connections = async () =>
      (await db.client`select from pg_stat_activity where application_name = 'console'`).count
    const stream = await open()
    await stream.until(stateOf)
    expect(await connections()).toBe(1)
    stream.close()
    await expect.poll(connections).toBe(0)
  })
})

describe('the trace of an order', () => {
  it('has its steps in all functions and services, each below its cause', async () => {
    const stream = await open()
    await stream.until((news) => news)
    const { id } = await placeOrder(customer, [{ sku: 'MUG-BLUE', quantity: 1 }])
    await waitForEntries(customer, id, 'order.confirmed')
    const { trace } = await stream.until(({ requests }) =>
      requests?.find(({ name }) => name === 'create-order'),
    )
    const read = async () => {
      const { spans } = (await (await fetch(at(`/traces/${trace}`))).json()) as Trace
      const ids = new Set(spans.map((span) => span.id))
      return {
        services: spans.map(({ service }) => service),
        first: spans.filter(({ parent }) => parent === undefined || !ids.has(parent)),
      }
    }
    // each process sends its spans when it likes
    await expect.poll(read).toMatchObject({
      services: expect.arrayContaining([
        'create-order',
        'relay',
        'dispatcher',
        'reserve-stock',
        'confirm-order',
      ]) as string[],
      first: [{ name: 'POST /api/v1/orders', service: 'gateway', status: 201 }],
    })
  })

  it('is empty if it is not known', async () => {
    const answer = await fetch(at(`/traces/${'a'.repeat(32)}`))
    expect(await answer.json()).toEqual({ spans: [], logs: [] })
  })
})

describe('dead letters in the console', () => {
  const letterOf =
    (id: string, after = 0) =>
    (news: News) =>
      stateOf(news)?.letters.find(({ eventId, at }) => eventId === id && at > after)

  it('are shown, delivered again and dropped', async () => {
    const stream = await open()
    const eventId = await emitBroken()
    const letter: Letter = await stream.until(letterOf(eventId))
    expect(letter).toMatchObject({ reaction: 'confirm-order', type: 'payment.authorized', attempts: 1 })
    expect(letter).not.toHaveProperty('event')
    const which = { eventId, reaction: 'confirm-order' }
    expect(await (await post('/replay', which)).json()).toEqual({ count: 1 })
    // it fails again
    await stream.until(letterOf(eventId, letter.at))
    expect(await (await post('/drop', which)).json()).toEqual({ count: 1 })
    await stream.until((news) => stateOf(news)?.lettersInAll === 0 || undefined)
    expect(await (await post('/drop', which)).json()).toEqual({ count: 0 })
  })

  it.each([
    ['that names none', '{}', 400, 'invalid-request'],
    ['whose event is no UUID', '{"eventId":"1","reaction":"reserve-stock"}', 400, 'invalid-request'],
    ['for not all', '{"all":false}', 400, 'invalid-request'],
    ['that is not JSON', 'all', 415, 'not-json'],
    ['without a body', '', 415, 'not-json'],
    ['that is too large', `"${'x'.repeat(2_000)}"`, 413, 'body-too-large'],
  ])('are left alone by a request %s', async (_, body, status, name) => {
    const answer = await post('/drop', body)
    expect(answer.status).toBe(status)
    expect(await answer.json()).toMatchObject({ type: `https://zeroshop.dev/problems/${name}` })
  })
})

describe('a load from the console', () => {
  it('runs alone, and can be stopped', async () => {
    const stream = await open()
    const scenario = { scenario: 'usual' }
    expect(await (await post('/load', scenario)).json()).toEqual({ isStarted: true })
    expect(await (await post('/load', scenario)).json()).toEqual({ isStarted: false })
    const isRunning = (wanted: boolean) => (news: News) => news.load?.isRunning === wanted || undefined
    await stream.until(isRunning(true))
    await post('/load/stop', {})
    await stream.until(isRunning(false))
  })

  it('is one of the scenarios', async () => {
    expect((await post('/load', { scenario: 'constructor' })).status).toBe(400)
  })
})

describe('the page of the console', () => {
  it('loads nothing from elsewhere, and is shown in no other page', async () => {
    const policy = (await fetch(at(''))).headers.get('content-security-policy')
    expect(policy).toMatch(/^default-src 'none'; script-src 'self';.* frame-ancestors 'none'/)
  })

  it('is sent to two browsers at the same time', async () => {
    const answers = await Promise.all([fetch(at('/main.js')), fetch(at('/main.js'))])
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
  })
})

describe('the console refuses', () => {
  /** fetch sets some of these headers itself. */
  async function ask(method: string, path: string, headers: Record<string, string>) {
    const { port } = new URL(shop.url)
    const asking = request({ host: '127.0.0.1', port, method, path, headers }).end()
    const [answer] = (await once(asking, 'response')) as [IncomingMessage]
    return answer
  }

  it.each([
    ['another origin', { origin: 'https://evil.example' }, 403],
    ['another port of this machine', { origin: 'http://127.0.0.1:3000' }, 403],
    ['a page without an origin', { origin: 'null' }, 403],
    ['another site, as the browser says', { 'sec-fetch-site': 'cross-site' }, 403],
    ['another port, as the browser says', { 'sec-fetch-site': 'same-site' }, 403],
    ['a host that resolves to this machine', { host: 'evil.example' }, 421],
    ['a proxy', { 'x-forwarded-for': '198.51.100.7' }, 421],
    ['a tunnel', { forwarded: 'for=198.51.100.7' }, 421],
  ])('data and changes to %s', async (_, headers: Record<string, string>, status) => {
    for (const [method, path] of [
      ['GET', '/_console/events'],
      ['GET', '/_console/table.json'],
      ['GET', `/_console/traces/${'a'.repeat(32)}`],
      ['POST', '/_console/drop'],
      ['POST', '/_console/load'],
    ] as const) {
      const own = method === 'POST' ? { origin: shop.url } : {}
      const answer = await ask(method, path, { host: new URL(shop.url).host, ...own, ...headers })
      expect([path, answer.statusCode]).toEqual([path, status])
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
      expect(await json(answer)).toMatchObject({ status })
    }
  })

  it('changes to whoever does not say that it is the console’s page', async () => {
    const answer = await ask('POST', '/_console/drop', { host: new URL(shop.url).host })
    answer.resume()
    expect(answer.statusCode).toBe(403)
  })

  it.each([
    ['POST', '/_console', 405],
    ['GET', '/_console/drop', 405],
    ['GET', '/_console/../package.json', 404],
    ['GET', '/_console/page/main.ts', 404],
    ['GET', '/_console/constructor', 404],
  ])('%s %s', async (method, path, status) => {
    const answer = await ask(method, path, { host: new URL(shop.url).host, origin: shop.url })
    answer.resume()
    expect(answer.statusCode).toBe(status)
  })
})
