import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { getTestServer } from '@google-cloud/functions-framework/testing'
import { eq } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSigner } from '../events/signature.ts'
import { freePort } from '../local/ports.ts'
import { deliveryHeaders, deliveryKey } from '../test/deliveries.ts'
import { checkAnswer } from '../test/openapi.ts'
import { knowProducts, newOrder } from '../test/orders.ts'
import { productCreated } from '../test/processes.ts'
import { openShop, read, type TestShop } from '../test/shop.ts'
import './framework.ts'
import { items } from './stock/stock.ts'
import { functions } from './table.ts'

const root = join(import.meta.dirname, '..')

let shop: TestShop
const running: ChildProcess[] = []
beforeAll(async () => {
  shop = await openShop(['orders', 'stock', 'products'])
  await knowProducts(shop, ['MUG', 900])
})
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL')
  await shop.close()
})

/** Runs the command as a user does, in the root of the project. */
function start(target: string, env: Record<string, string>): ChildProcess {
  const child = spawn('functions-framework', ['--source=functions/framework.ts', `--target=${target}`], {
    cwd: root,
    env: {
      PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH']}`,
      NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/zeroshop/framework'),
      LOG_LEVEL: 'error',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.push(child)
  return child
}

/** Serves a function with a command of its own. Returns its address. */
async function serve(target: string, env: Record<string, string>): Promise<string> {
  const PORT = String(await freePort())
  const { d: _, ...publicKey } = shop.privateKey
  const { stdout, stderr } = start(target, {
    PORT,
    FUNCTION_URL: 'http://127.0.0.1:9/{function}',
    JWT_PUBLIC_KEYS: JSON.stringify({ keys: [publicKey] }),
    ...env,
  })
  const said: string[] = []
  createInterface({ input: stderr! }).on('line', (line) => said.push(line))
  for await (const line of createInterface({ input: stdout! })) {
    said.push(line)
    if (line.startsWith('URL: ')) return `http://127.0.0.1:${PORT}`
  }
  throw new Error(`functions-framework --target=${target} ended:\n${said.join('\n')}`)
}

// not through the API client, because some of these requests are malformed
async function send(url: string, method: string, path: string, headers = {}, body?: string) {
  const response = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body }) })
  return read(response)
}

it('registers every function', () => {
  // throws for a name that is not registered
  for (const name of Object.keys(functions)) getTestServer(name)
  expect(() => getTestServer('no-such-function')).toThrow(/was not registered/)
})

describe('an operation on PostgreSQL', () => {
  let url: string
  let authorization: string
  beforeAll(async () => {
    url = await serve('create-order', {
      DATABASE_URL: shop.database('orders'),
      STREAM_TICKET_KEY: 'a key for tickets that is long enough',
    })
    authorization = `Bearer ${await shop.sign(shop.users.customer)}`
  })

  const post = async (body: string, headers: Record<string, string> = {}) => {
    const all = { authorization, 'content-type': 'application/json', 'idempotency-key': uuidv7(), ...headers }
    const answer = await send(url, 'POST', '/api/v1/orders', all, body)
    checkAnswer('POST', '/orders', answer)
    return answer
  }

  it('responds as without the framework, also to a repeated request', async () => {
    const key = { 'idempotency-key': uuidv7() }
    const placed = await post(JSON.stringify(newOrder()), key)
    expect(placed.status).toBe(201)
    expect(placed.headers.get('location')).toBe(`/api/v1/orders/${placed.body.id}`)
    expect((await post(JSON.stringify(newOrder()), key)).text).toBe(placed.text)
    const order = await shop.get(`/orders/${placed.body.id}`, { as: 'customer' })
    expect(order.body).toEqual(placed.body)
  })

  it('returns problems', async () => {
    expect((await post('{"lines":[]}')).status).toBe(400)
    expect((await post(JSON.stringify(newOrder()), { authorization: '' })).status).toBe(401)
    expect((await post(JSON.stringify(['x'.repeat(100 * 1024)]))).status).toBe(413)
    expect((await post('text', { 'content-type': 'text/plain' })).status).toBe(415)
  })
})

describe('an operation on MongoDB', () => {
  let url: string
  beforeAll(async () => {
    url = await serve('get-product', { MONGODB_URL: shop.mongodb })
  })

  const get = async (path: string, headers = {}) => {
    const answer = await send(url, 'GET', `/api/v1${path}`, headers)
    checkAnswer('GET', path, answer)
    return answer
  }

  it('responds as without the framework, and returns problems', async () => {
    const body = { sku: 'POT', name: 'Pot', category: 'kitchen', price: { amount: 900, currency: 'EUR' } }
    const { id } = await shop.create('/products', { as: 'seller', body })
    const [got, direct] = [await get(`/products/${id}`), await shop.get(`/products/${id}`)]
    expect([got.status, got.text]).toEqual([200, direct.text])
    const etag = got.headers.get('etag')
    expect(etag).toBe(direct.headers.get('etag'))
    expect((await get(`/products/${id}`, { 'if-none-match': etag })).status).toBe(304)
    expect((await get(`/products/${uuidv7()}`)).status).toBe(404)
  })
})

describe('a reaction', () => {
  let url: string
  beforeAll(async () => {
    // it gets no keys of access tokens
    url = await serve('open-stock', {
      JWT_PUBLIC_KEYS: '',
      DATABASE_URL: shop.database('stock'),
      DELIVERY_KEYS: deliveryKey,
    })
  })

  const deliver = async (headers: Record<string, string>, body: string) =>
    send(url, 'POST', '/', headers, body)
  const accounts = (sku: string) => shop.deps('stock').db.select().from(items).where(eq(items.sku, sku))

  it('handles a signed delivery once', async () => {
    const { headers, body } = productCreated('CUP')
    expect((await deliver(headers, body)).status).toBe(204)
    expect(await accounts('CUP')).toMatchObject([{ sku: 'CUP', available: 0 }])
    await shop.deps('stock').db.delete(items).where(eq(items.sku, 'CUP'))
    expect((await deliver(headers, body)).status).toBe(204)
    // the inbox contains the event, so it is not handled again
    expect(await accounts('CUP')).toEqual([])
  })

  it('answers for each event of a batch', async () => {
    const [good, bad] = [productCreated('JUG'), productCreated('BAD')]
    const wrong = { ...(JSON.parse(bad.body) as { id: string }), data: { sku: 'BAD' } }
    const batch = `[${good.body},${JSON.stringify(wrong)}]`
    const headers = {
      'content-type': 'application/cloudevents-batch+json',
      ...createSigner([deliveryKey])(uuidv7(), batch),
    }
    const answer = await deliver(headers, batch)
    expect(answer).toMatchObject({ status: 200, body: [{ id: wrong.id, status: 422 }] })
    expect(await accounts('JUG')).toMatchObject([{ sku: 'JUG', available: 0 }])
  })

  it('refuses what is not signed, or is written differently than it was signed', async () => {
    const { headers, body } = productCreated('BAD')
    const { 'content-type': type = '' } = headers
    for (const answer of [await deliver({ 'content-type': type }, body), await deliver(headers, `${body} `)])
      expect(answer).toMatchObject({ status: 401, body: { type: expect.stringMatching(/not-signed$/) } })
    expect(await accounts('BAD')).toEqual([])
  })

  it('refuses events that it does not run on, or whose data is wrong', async () => {
    const { body } = productCreated('BAD')
    for (const change of [{ type: 'dev.zeroshop.order.placed' }, { data: { sku: 'BAD' } }]) {
      const changed = JSON.stringify({ ...(JSON.parse(body) as object), ...change })
      expect((await deliver(deliveryHeaders(changed), changed)).status).toBe(422)
    }
    expect(await accounts('BAD')).toEqual([])
  })

  it('is alive and ready', async () => {
    for (const what of ['liveness', 'readiness'])
      expect(await send(url, 'GET', `/health/${what}`)).toMatchObject({ status: 200, body: { status: 'ok' } })
  })
})

it('says in one line what is missing, and ends', async () => {
  const child = start('get-stock', {})
  const [said, [code]] = await Promise.all([text(child.stderr!), once(child, 'exit')])
  expect({ said, code }).toEqual({
    said: expect.stringMatching(/^zeroshop: DATABASE_URL is not set: .*\n$/),
    code: 1,
  })
})
