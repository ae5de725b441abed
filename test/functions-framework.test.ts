import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cloudEvent, http } from '@google-cloud/functions-framework'
import { getTestServer } from '@google-cloud/functions-framework/testing'
import { getRequestListener } from '@hono/node-server'
import { HTTP, type CloudEvent, type CloudEventV1, type Message } from 'cloudevents'
import { eq } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { fromCloudEvent, toCloudEvent } from '../events/cloud-event.ts'
import { openReaction } from '../events/reaction.ts'
import { reactionOf } from '../functions/source.ts'
import { items } from '../functions/stock/stock.ts'
import { knowProducts, newOrder } from './orders.ts'
import { checkAnswer } from './openapi.ts'
import { openShop, read, type TestShop } from './shop.ts'

/** The functions that Hono serves, deployed to the Functions Framework. */

let shop: TestShop
const servers: Server[] = []

beforeAll(async () => {
  shop = await openShop(['orders', 'stock'])
  await knowProducts(shop, ['MUG', 900])
})
afterAll(async () => {
  for (const server of servers) {
    server.close()
    server.closeAllConnections()
  }
  await shop.close()
})

async function serve(name: string): Promise<string> {
  const server = getTestServer(name)
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // a server on a TCP port has an AddressInfo
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('an operation as an http function', () => {
  let url: string
  let authorization: string
  beforeAll(async () => {
    // the framework has read the body and refused invalid JSON; the listener uses its `rawBody`
    http('orders', getRequestListener(shop.app.fetch))
    url = await serve('orders')
    authorization = `Bearer ${await shop.sign(shop.users.customer)}`
  })

  // not through the API client, because some of these requests are malformed
  const call = async (method: string, path: string, body?: string, headers = {}) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body }),
    })
    const answer = await read(response)
    checkAnswer(method, path, answer)
    return answer
  }

  it('responds as with Hono alone: with a body, without one, and to a second request', async () => {
    const key = uuidv7()
    const placed = await call('POST', '/orders', JSON.stringify(newOrder()), { 'idempotency-key': key })
    expect(placed.status).toBe(201)
    const path = `/orders/${placed.body.id}`
    expect(placed.headers.get('location')).toBe(`/api/v1${path}`)
    const again = await call('POST', '/orders', JSON.stringify(newOrder()), { 'idempotency-key': key })
    expect(again.text).toBe(placed.text)

    const got = await call('GET', path)
    const direct = await shop.get(path, { as: 'customer' })
    expect([got.status, got.text]).toEqual([200, direct.text])
    for (const name of ['etag', 'content-type']) expect(got.headers.get(name)).toBe(direct.headers.get(name))
    expect((await call('GET', path, undefined, { 'if-none-match': '"1"' })).status).toBe(304)
    const changed = await call('PATCH', path, '{"note":"ring twice"}', { 'if-match': '"1"' })
    expect(changed.body).toMatchObject({ note: 'ring twice' })
  })

  it('returns problems', async () => {
    expect(await call('GET', '/orders/x')).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/path/id', detail: 'Invalid UUID' }] },
    })
    expect((await call('GET', `/orders/${uuidv7()}`)).status).toBe(404)
    expect((await call('GET', `/orders/${uuidv7()}`, undefined, { authorization: '' })).status).toBe(401)
    const key = { 'idempotency-key': uuidv7() }
    expect((await call('POST', '/orders', '{"lines":[]}', key)).status).toBe(400)
    expect((await call('POST', '/orders', JSON.stringify(['x'.repeat(100 * 1024)]), key)).status).toBe(413)
    expect((await call('POST', '/orders', 'text', { ...key, 'content-type': 'text/plain' })).status).toBe(415)
  })
})

describe('a reaction as a cloudEvent function', () => {
  let url: string
  beforeAll(async () => {
    const { run, takes, emits } = await reactionOf('open-stock')
    cloudEvent('open-stock', (event: CloudEventV1<unknown>) =>
      openReaction(run, shop.deps('stock'), { domain: 'stock', emits })(fromCloudEvent(event, takes)),
    )
    url = await serve('open-stock')
  })

  // the framework reports errors there
  beforeEach(() => void vi.spyOn(console, 'error').mockReturnValue())
  afterEach(() => void vi.restoreAllMocks())

  const created = (sku: string) =>
    toCloudEvent({
      id: uuidv7(),
      type: 'product.created',
      source: '/products',
      subject: sku,
      time: new Date(),
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      data: {
        productId: uuidv7(),
        sku,
        name: 'Mug',
        price: { amount: 900, currency: 'EUR' },
        sellerId: uuidv7(),
        version: 1,
      },
    })

  const deliver = async ({ headers, body }: Message): Promise<number> => {
    const response = await fetch(url, {
      method: 'POST',
      // the library's types also allow values that it never returns
      headers: headers as Record<string, string>,
      body: String(body),
    })
    await response.text()
    return response.status
  }

  const accounts = (sku: string) => shop.deps('stock').db.select().from(items).where(eq(items.sku, sku))

  it.each(['binary', 'structured'] as const)('handles an event in %s mode once', async (mode) => {
    const sku = `MUG-${mode.toUpperCase()}`
    const event = created(sku)
    expect(HTTP[mode](event).headers).toMatchObject(
      mode === 'binary' ? { 'ce-id': event.id } : { 'content-type': /^application\/cloudevents\+json/ },
    )
    expect(await deliver(HTTP[mode](event))).toBe(204)
    expect(await accounts(sku)).toMatchObject([{ sku, available: 0 }])
    await shop.deps('stock').db.delete(items).where(eq(items.sku, sku))
    expect(await deliver(HTTP[mode](event))).toBe(204)
    // the inbox contains the event, so it is not handled again
    expect(await accounts(sku)).toEqual([])
  })

  const invalid: [what: string, change: (event: CloudEvent<unknown>) => Message][] = [
    ['of a type that there is not', (event) => HTTP.structured(event.cloneWith({ type: 'other' }))],
    [
      'of a type of JavaScript’s',
      (event) => HTTP.binary(event.cloneWith({ type: 'dev.zeroshop.constructor' })),
    ],
    [
      'of another reaction’s type',
      (event) => HTTP.binary(event.cloneWith({ type: 'dev.zeroshop.order.placed' })),
    ],
    ['without data', (event) => HTTP.structured(event.cloneWith({ data: undefined }))],
    ['whose data lacks a field', (event) => HTTP.binary(event.cloneWith({ data: { sku: 'BAD' } }))],
    [
      'whose data is wrong',
      (event) => HTTP.structured(event.cloneWith({ data: { ...(event.data as object), version: 'one' } })),
    ],
  ]
  it.each(invalid)('returns 500 for an event %s, and does nothing', async (_, change) => {
    expect(await deliver(change(created('BAD')))).toBe(500)
    expect(await accounts('BAD')).toEqual([])
  })

  it('returns an error for a request that is not an event', async () => {
    const json = { 'content-type': 'application/json' }
    const structured = { 'content-type': 'application/cloudevents+json' }
    expect(await deliver({ headers: structured, body: '{' })).toBeGreaterThanOrEqual(400)
    expect(await deliver({ headers: structured, body: '{"specversion":"1.0"}' })).toBeGreaterThanOrEqual(400)
    expect(await deliver({ headers: json, body: '{}' })).toBeGreaterThanOrEqual(400)
    expect(await shop.deps('stock').db.select().from(items).where(eq(items.available, 0))).toEqual([])
  })
})
