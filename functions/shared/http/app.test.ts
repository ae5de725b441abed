import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as z from 'zod'
import { get, post, type OperationRow } from '../domain.ts'
import type { LoadedOperation } from '../process/entry.ts'
import { createApp } from './app.ts'
import { eventStream } from './event-stream.ts'
import type { Contract, Operation } from './operation.ts'

/** Returns an app with one operation. */
function appOf(
  row: OperationRow,
  contract: Omit<Contract, 'responses'>,
  handle: Operation['handle'],
  log = pino({ level: 'silent' }),
) {
  const loaded: LoadedOperation = {
    row: { ...row, name: 'try-out', domain: 'none', settings: {} },
    run: { name: 'get-order', contract: { responses: { 200: z.unknown() }, ...contract }, handle },
    emits: {},
    takes: {},
  }
  return createApp({
    operations: [loaded],
    deps: () => ({}),
    authenticate: async () => undefined,
    log,
  })
}

describe('a response with an ETag', () => {
  const headers = {
    etag: '"3"',
    'cache-control': 'private',
    'content-location': '/things/3',
    expires: 'Thu, 26 Nov 2026 20:00:00 GMT',
    vary: 'accept',
  }
  const app = appOf(
    get('/thing', '', { by: 'anyone' }),
    { request: {}, headers: ['ETag'] },
    async ({ json }) => json({ name: 'thing' }, 200, { ...headers, link: '</next>; rel="next"' }),
  )
  const read = (known: string, method = 'GET') =>
    app.request('/thing', { method, headers: { 'if-none-match': known } })

  const known = ['"3"', 'W/"3"', '"2", "3"', '"2",W/"3"', '*', ' * ', '"a,b" , "3"', 'nonsense, "3"', '"3",,']
  const marked = ['"3-gzip"', '"3-zstd"', '"3/br"', '"3;gzip"', 'W/"3-br"', '"2-gzip", "3-gzip"']
  it.each([...known, ...marked])(
    'is a 304 with the headers that caches need if the client sends If-None-Match: %s',
    async (known) => {
      const answer = await read(known)
      expect([answer.status, await answer.text()]).toEqual([304, ''])
      expect(Object.fromEntries(answer.headers)).toEqual(headers)
    },
  )

  it.each(['"2"', '"33"', '3', '', '"3-"', '"3-lz4"', '"3-gzip', '"3-gzip-gzip"', 'w/"3"', '"3"x'])(
    'is sent in full if the client sends If-None-Match: %s',
    async (known) => {
      const answer = await read(known)
      expect([answer.status, answer.headers.get('etag')]).toEqual([200, headers.etag])
      expect(await answer.json()).toEqual({ name: 'thing' })
    },
  )

  it('is a 304 for HEAD, too', async () => {
    expect((await read('"3"', 'HEAD')).status).toBe(304)
  })
})

it('sends a stream chunk by chunk, without an ETag', async () => {
  const ended = Promise.withResolvers<void>()
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(new TextEncoder().encode('first'))
      await ended.promise
      controller.close()
    },
  })
  const app = appOf(get('/stream', '', { by: 'anyone' }), { request: {} }, async () => new Response(body))
  const answer = await app.request('/stream', { headers: { 'if-none-match': '"3"' } })
  expect(answer.headers.get('etag')).toBeNull()
  const { value } = await answer.body!.getReader().read()
  expect(new TextDecoder().decode(value)).toBe('first')
  ended.resolve()
})

it('gives an operation only a traceparent that W3C Trace Context allows', async () => {
  const app = appOf(get('/trace', '', { by: 'anyone' }), { request: {} }, async ({ traceparent, json }) =>
    json({ traceparent: traceparent ?? 'none' }, 200),
  )
  const given = async (traceparent: string) =>
    (await (await app.request('/trace', { headers: { traceparent } })).json()) as object
  const valid = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  expect(await given(valid)).toEqual({ traceparent: valid })
  expect(await given(`00-${'a'.repeat(12_000)}`)).toEqual({ traceparent: 'none' })
})

it.each([
  ['a known length', { 'content-length': '10' }],
  ['chunks', { 'transfer-encoding': 'chunked' }],
])('is a 400, and no error in the log, if a body with %s breaks off', async (_, length) => {
  const lines: string[] = []
  const app = appOf(
    post('/thing', '', { by: 'anyone' }),
    { request: { body: z.strictObject({}) } },
    async ({ json }) => json({}, 200),
    pino({}, { write: (line: string) => void lines.push(line) }),
  )
  const body = new ReadableStream({
    start: (controller) => controller.error(new Error('aborted')),
  })
  const headers = { 'content-type': 'application/json', ...length }
  const answer = await app.request('/thing', { method: 'POST', headers, body, duplex: 'half' })
  expect([answer.status, await answer.json()]).toMatchObject([
    400,
    { type: 'https://zeroshop.dev/problems/malformed-request' },
  ])
  expect(lines).toEqual([])
})

describe('a parameter of a path', () => {
  const app = appOf(
    get('/things/{name}', '', { by: 'anyone' }),
    { request: { params: z.object({ name: z.string() }) } },
    async ({ params, json }) => json(params, 200),
  )

  it.each(['%ff', '%ed%a0%80', '%zz', '%', 'a%00b'])('must be text that can be stored: %s', async (name) => {
    const answer = await app.request(`/things/${name}`)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ errors: [{ pointer: '/path' }] })
  })

  it('may be any other text', async () => {
    const answer = await app.request(`/things/${encodeURIComponent('50 % of Größe/🙂')}`)
    expect(await answer.json()).toEqual({ name: '50 % of Größe/🙂' })
  })
})

it('takes a parameter of a query more than once if it is a list', async () => {
  const query = z.strictObject({ tag: z.array(z.string()).optional(), name: z.string().optional() })
  const app = appOf(get('/things', '', { by: 'anyone' }), { request: { query } }, async (call) =>
    call.json(call.query, 200),
  )
  const ask = async (query: string) => (await app.request(`/things?${query}`)).json()
  expect(await ask('tag=a&name=x&tag=b')).toEqual({ tag: ['a', 'b'], name: 'x' })
  expect(await ask('tag=a')).toEqual({ tag: ['a'] })
  expect(await ask('name=x&tag=a&name=y')).toMatchObject({
    status: 400,
    errors: [{ pointer: '/query/name', detail: 'given more than once' }],
  })
})

describe('an event stream', () => {
  let isStarted: boolean
  beforeEach(() => {
    isStarted = false
  })
  const streaming = (tell: () => Promise<void>) =>
    appOf(get('/stream', '', { by: 'anyone' }), { request: {} }, async ({ hono }) =>
      eventStream(hono, pino({ level: 'silent' }), async (stream) => {
        isStarted = true
        await stream.writeSSE({ id: '1', data: 'first' })
        await tell()
      }),
    )

  it('is neither cached nor held back', async () => {
    const answer = await streaming(async () => {}).request('/stream')
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    expect(await answer.text()).toBe('data: first\nid: 1\n\n')
  })

  it('is not started by HEAD, which gets the same headers', async () => {
    const app = streaming(async () => {})
    const answer = await app.request('/stream', { method: 'HEAD' })
    expect([answer.status, await answer.text(), isStarted]).toEqual([200, '', false])
    const { headers } = await app.request('/stream')
    for (const name of ['content-type', 'cache-control', 'x-accel-buffering'])
      expect(answer.headers.get(name)).toBe(headers.get(name))
  })

  it('ends if it fails, and does not tell the client why', async () => {
    const app = streaming(async () => {
      throw new Error('password')
    })
    expect(await (await app.request('/stream')).text()).toBe('data: first\nid: 1\n\n')
  })
})

describe('an operation', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  it('is a 503 and continues if it is not done within ten seconds', async () => {
    const work = Promise.withResolvers<void>()
    let isDone = false
    const app = appOf(get('/slow', '', { by: 'anyone' }), { request: {} }, async ({ json }) => {
      await work.promise
      isDone = true
      return json({}, 200)
    })
    const asked = Promise.resolve(app.request('/slow'))
    await vi.advanceTimersByTimeAsync(9_999)
    const first = await Promise.race([asked, Promise.resolve('still waiting')])
    expect(first).toBe('still waiting')
    await vi.advanceTimersByTimeAsync(1)
    const answer = await asked
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2'])
    expect(await answer.json()).toMatchObject({ type: 'https://zeroshop.dev/problems/store-unavailable' })
    work.resolve()
    await vi.waitFor(() => expect(isDone).toBe(true))
  })

  it('has ten seconds from when its request has been read', async () => {
    const app = appOf(
      post('/thing', '', { by: 'anyone' }),
      { request: { body: z.strictObject({ n: z.int() }) } },
      async ({ body, json }) => json(body, 200),
    )
    const sent = Promise.withResolvers<void>()
    const body = new ReadableStream({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode('{"n":'))
        await sent.promise
        controller.enqueue(new TextEncoder().encode('1}'))
        controller.close()
      },
    })
    const asked = app.request('/thing', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      duplex: 'half',
    })
    await vi.advanceTimersByTimeAsync(20_000)
    sent.resolve()
    const answer = await asked
    expect([answer.status, await answer.json()]).toEqual([200, { n: 1 }])
  })
})
