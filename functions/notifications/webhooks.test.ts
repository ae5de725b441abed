import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { eq, sql } from 'drizzle-orm'
import { Webhook } from 'standardwebhooks'
import { uuidv7 } from 'uuidv7'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { tablesWith } from '../../test/contents.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import type { EventData } from '../../events/event.ts'
import type { User } from '../shared/auth/access-token.ts'
import { endpointOf, newEndpoint, orderWith, productOf } from './fixtures.ts'
import { failingMs, floorOf, keptMs, webhookDeliveries, webhookEndpoints, webhookTypes } from './webhook.ts'

/** What the receiver has got. */
interface Got {
  path: string
  headers: IncomingHttpHeaders
  body: string
}

let shop: TestShop
let receiver: Server
let origin: string
const got: Got[] = []
/** The status that the receiver answers, after `until`. */
let answers = { status: 204, until: Promise.resolve() }
let came: (() => void) | undefined

beforeAll(async () => {
  receiver = createServer((request, response) => {
    void text(request).then(async (body) => {
      got.push({ path: request.url!, headers: request.headers, body })
      came?.()
      const { status, until } = answers
      await until
      response.writeHead(status).end()
    })
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
  shop = await openShop(['notifications'], { WEBHOOKS_TO_LOOPBACK: '1' })
})
afterAll(async () => {
  await shop.close()
  receiver.closeAllConnections()
  await new Promise((resolve) => receiver.close(resolve))
})
afterEach(() => {
  answers = { status: 204, until: Promise.resolve() }
  came = undefined
})

/** A seller with a product and an endpoint of the receiver. */
async function seller(more: object = {}) {
  const user = shop.newUser('seller')
  const path = `/${uuidv7()}`
  const body = newEndpoint({ url: `${origin}${path}`, events: webhookTypes, ...more })
  const { secret, ...endpoint } = await endpointOf(shop, user, body)
  const sku = await productOf(shop, user.id)
  return { user, path, secret: String(secret), endpoint, sku, id: String(endpoint.id) }
}
type Seller = Awaited<ReturnType<typeof seller>>

type Due = EventData<'webhook.due'>
const db = () => shop.deps('notifications').db
const logOf = async ({ user, id }: Pick<Seller, 'user' | 'id'>, query = '') =>
  (await shop.get(`/webhook-endpoints/${id}/deliveries${query}`, { as: user })).body.items
const endpointNow = async ({ user, id }: Seller) =>
  (await shop.get(`/webhook-endpoints/${id}`, { as: user })).body
const gotBy = ({ path }: Seller) => got.filter((one) => one.path === path)
const deliver = ({ deliveryId, attempt }: Due) =>
  shop.react('deliver-webhook', 'webhook.due', { deliveryId, attempt })
/** Returns the attempts of a delivery that are announced, of which some are due later. */
const announced = async (id: string) =>
  [...(await shop.emitted(id)), ...(await shop.scheduled(id))].map(({ data }) => (data as Due).attempt)
/** Makes the next attempt of the newest delivery. */
async function attempt(one: Seller) {
  const [delivery] = await logOf(one)
  return deliver({ deliveryId: delivery.id, attempt: delivery.attempts + 1 })
}
const cancel = (orderId: string, reason = 'not enough stock (MUG: 2 wanted, 1 there)') =>
  shop.react('notify-customer', 'order.cancelled', { orderId, reason })

describe('a webhook endpoint', () => {
  it('is added with a secret, which is not shown again, except for the same request', async () => {
    const user = shop.newUser('seller')
    const send = { as: user, body: newEndpoint({ description: 'Our ERP' }), key: 'a-key' }
    const first = await shop.post('/webhook-endpoints', send)
    const { secret, ...endpoint } = first.body
    expect(secret).toMatch(/^whsec_/)
    expect(endpoint).toMatchObject({ status: 'enabled', description: 'Our ERP', failingSince: null })
    expect((await shop.post('/webhook-endpoints', send)).text).toBe(first.text)
    expect((await shop.get('/webhook-endpoints', { as: user })).body.items).toEqual([endpoint])
    expect(
      (await shop.get(first.headers.get('location')!.slice('/api/v1'.length), { as: user })).body,
    ).toEqual(endpoint)
    expect(await tablesWith(shop.admin, String(secret).slice(6))).toEqual([])
  })

  it.each([
    ['http://example.com/', 'an https URL'],
    ['https://10.0.0.1/', 'a URL on the public internet'],
    ['https://example.com:5432/', 'a URL with the port 443 or 8443'],
    ['https://postgres/', 'a URL with the full name of a host'],
  ])('cannot be %s', async (url, detail) => {
    const { status, body } = await shop.post('/webhook-endpoints', {
      as: 'seller',
      body: newEndpoint({ url }),
    })
    expect([status, body.errors]).toEqual([400, [{ pointer: '/body/url', detail }]])
    const one = await seller()
    const changed = await shop.patch(`/webhook-endpoints/${one.id}`, {
      as: one.user,
      body: { url },
      ifMatch: '*',
    })
    expect([changed.status, changed.body.errors]).toEqual([400, [{ pointer: '/body/url', detail }]])
  })

  it('is one of ten at most, also if they are added at the same time', async () => {
    const user = shop.newUser('seller')
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => shop.post('/webhook-endpoints', { as: user, body: newEndpoint() })),
    )
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      ...Array(10).fill(201),
      409,
      409,
    ])
    expect(answers.find(({ status }) => status === 409)!.body.type).toContain('too-many-webhook-endpoints')
  })

  it('is seen and changed by its owner only, whoever else asks', async () => {
    const { id, endpoint } = await seller()
    for (const as of [shop.newUser('seller'), shop.newUser('admin')]) {
      const path = `/webhook-endpoints/${id}`
      const all = await Promise.all([
        shop.get(path, { as }),
        shop.patch(path, { as, body: { description: 'x' }, ifMatch: '*' }),
        shop.delete(path, { as }),
        shop.post(`${path}/secret`, { as }),
        shop.get(`${path}/deliveries`, { as }),
        shop.post(`${path}/deliveries/${uuidv7()}/replay`, { as }),
      ])
      expect(all.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404, 404])
      expect((await shop.get('/webhook-endpoints', { as })).body.items).toEqual([])
    }
    for (const role of ['customer', 'staff'] as const)
      expect((await shop.get('/webhook-endpoints', { as: role })).status).toBe(403)
    expect(endpoint.status).toBe('enabled')
  })

  it('is changed only as it was read', async () => {
    const one = await seller()
    const path = `/webhook-endpoints/${one.id}`
    const change = (body: object, ifMatch?: string) =>
      shop.patch(path, { as: one.user, body, ...(ifMatch && { ifMatch }) })
    const { headers, body } = await change({ events: ['stock.low'], description: 'x' }, '"1"')
    expect([headers.get('etag'), body]).toMatchObject(['"2"', { events: ['stock.low'], description: 'x' }])
    expect((await change({ description: null }, '"1"')).status).toBe(412)
    expect((await change({ description: null })).status).toBe(428)
    expect((await shop.delete(path, { as: one.user, ifMatch: '"1"' })).status).toBe(412)
    expect((await shop.delete(path, { as: one.user, ifMatch: '"2"' })).status).toBe(204)
    expect((await shop.get(path, { as: one.user })).status).toBe(404)
  })
})

describe('a seller’s system', () => {
  it('is told what happens to an order, signed, each with its own lines', async () => {
    const [ann, ben] = [await seller(), await seller()]
    const orderId = await orderWith(shop, ann.sku, ben.sku, 'MUG')
    for (const one of [ann, ben]) await attempt(one)
    for (const type of ['order.confirmed', 'order.shipped', 'order.completed'] as const) {
      await shop.react('notify-customer', type, { orderId })
      await attempt(ann)
    }
    const bodies = gotBy(ann).map(({ headers, body }) =>
      new Webhook(ann.secret).verify(body, headers as Record<string, string>),
    )
    const line = { sku: ann.sku, quantity: 1, unitPrice: 900 }
    expect(bodies).toEqual(
      ['order.placed', 'order.confirmed', 'order.shipped', 'order.completed'].map((type) => ({
        type,
        timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
        data: { orderId, currency: 'EUR', prices: 'gross', lines: [line] },
      })),
    )
    expect(gotBy(ben).map(({ body }) => JSON.parse(body).data.lines)).toEqual([
      [{ sku: ben.sku, quantity: 2, unitPrice: 900 }],
    ])
    expect(
      (await logOf(ann)).map(({ type, status, answered }: Record<string, unknown>) => [
        type,
        status,
        answered,
      ]),
    ).toEqual(
      ['order.completed', 'order.shipped', 'order.confirmed', 'order.placed'].map((type) => [
        type,
        'delivered',
        204,
      ]),
    )
  })

  it('is told why an order was cancelled, but not in the words of others', async () => {
    const one = await seller()
    for (const reason of ['not enough stock (X)', 'the issuer says that Ada is broke']) {
      await cancel(await orderWith(shop, one.sku), reason)
      await attempt(one)
    }
    expect(gotBy(one).map(({ body }) => JSON.parse(body).data.reason)).toEqual(['outOfStock', 'payment'])
  })

  it('is told what is low in stock, of its own products', async () => {
    const [ann, ben] = [await seller(), await seller({ events: ['order.placed'] })]
    for (const { sku } of [ann, ben, { sku: 'UNKNOWN' }])
      await shop.react('notify-seller', 'stock.low', { sku, available: 2, threshold: 5 })
    await attempt(ann)
    expect(gotBy(ann).map(({ body }) => JSON.parse(body))).toMatchObject([
      { type: 'stock.low', data: { sku: ann.sku, available: 2, threshold: 5 } },
    ])
    expect(await logOf(ben)).toEqual([])
  })

  it('is told once of an event that is delivered again, and in whatever order events come', async () => {
    const one = await seller()
    const orderId = uuidv7()
    const confirmed = await shop.react('notify-customer', 'order.confirmed', { orderId })
    expect(await logOf(one)).toEqual([])
    const placed = await shop.react('notify-customer', 'order.placed', {
      orderId,
      customerId: uuidv7(),
      lines: [{ sku: one.sku, quantity: 1 }],
      total: { amount: 900, currency: 'EUR' },
    })
    for (const event of [placed, confirmed]) await shop.handle('notify-customer', event)
    const types = (await logOf(one)).map(({ type }: { type: string }) => type)
    expect(types.toSorted()).toEqual(['order.confirmed', 'order.placed'])
  })

  it('is told of what belongs to the seller by then, in whatever order the products’ events come', async () => {
    const [ann, ben] = [await seller(), await seller()]
    const price = { amount: 900, currency: 'EUR' }
    const product = { productId: uuidv7(), sku: uuidv7().toUpperCase(), name: 'Mug', price }
    await shop.react('keep-seller', 'product.updated', { ...product, sellerId: ben.user.id, version: 2 })
    await shop.react('keep-seller', 'product.created', { ...product, sellerId: ann.user.id, version: 1 })
    // what is ordered before the product goes concerns its seller still
    const { productId, sku } = product
    await shop.react('keep-seller', 'product.deleted', { productId, sku, version: 3 })
    await orderWith(shop, sku)
    expect([(await logOf(ann)).length, (await logOf(ben)).length]).toEqual([0, 1])
  })

  it('is not told while it is disabled', async () => {
    const one = await seller()
    const set = (status: string) =>
      shop.patch(`/webhook-endpoints/${one.id}`, { as: one.user, body: { status }, ifMatch: '*' })
    await orderWith(shop, one.sku)
    expect((await set('disabled')).body).toMatchObject({ status: 'disabled', disabledBecause: 'request' })
    await attempt(one)
    await orderWith(shop, one.sku)
    expect(await logOf(one)).toMatchObject([
      { status: 'failed', error: 'the endpoint is disabled', attempts: 0 },
    ])
    const [{ id }] = await logOf(one)
    const replay = () => shop.post(`/webhook-endpoints/${one.id}/deliveries/${id}/replay`, { as: one.user })
    expect((await replay()).body.type).toContain('webhook-endpoint-disabled')
    expect((await set('enabled')).body).toMatchObject({ status: 'enabled', disabledBecause: null })
    expect((await replay()).body).toMatchObject({ status: 'pending' })
    await attempt(one)
    expect(gotBy(one)).toHaveLength(1)
  })

  it('is told nothing any more if it is deleted, or its owner is, and nothing of it is left', async () => {
    const [deleted, gone] = [await seller(), await seller()]
    const pending: Due[] = []
    for (const one of [deleted, gone]) {
      await orderWith(shop, one.sku)
      pending.push({ deliveryId: (await logOf(one))[0].id, attempt: 1 })
    }
    await shop.delete(`/webhook-endpoints/${deleted.id}`, { as: deleted.user })
    await shop.react('forget-recipient', 'user.deleted', { userId: gone.user.id })
    for (const due of pending) await deliver(due)
    await orderWith(shop, deleted.sku, gone.sku)
    expect([...gotBy(deleted), ...gotBy(gone)]).toEqual([])
    const rows = await db()
      .select()
      .from(webhookDeliveries)
      .where(sql`${webhookDeliveries.endpointId} in (${deleted.id}, ${gone.id})`)
    expect(rows).toEqual([])
    expect(await tablesWith(shop.admin, gone.path)).toEqual([])
  })
})

describe('a delivery', () => {
  it('that fails is sent again later, with the same id and the same body', async () => {
    const one = await seller()
    await orderWith(shop, one.sku)
    const [{ id }] = await logOf(one)
    expect(await shop.emitted(id)).toMatchObject([
      { type: 'webhook.due', data: { deliveryId: id, attempt: 1 } },
    ])
    answers = { ...answers, status: 503 }
    const event = await attempt(one)
    expect(await logOf(one)).toMatchObject([
      {
        id,
        status: 'pending',
        attempts: 1,
        answered: 503,
        error: 'it answered 503',
        nextAt: expect.any(String),
      },
    ])
    expect(await announced(id)).toEqual([1, 2])
    // delivered again
    await shop.handle('deliver-webhook', event)
    await shop.handle('deliver-webhook', { ...event, id: uuidv7() })
    expect((await endpointNow(one)).failingSince).toEqual(expect.any(String))
    answers = { ...answers, status: 200 }
    await attempt(one)
    expect(await logOf(one)).toMatchObject([{ status: 'delivered', attempts: 2, error: null, nextAt: null }])
    expect((await endpointNow(one)).failingSince).toBeNull()
    const [first, second, ...more] = gotBy(one)
    expect(more).toEqual([])
    expect(second!.body).toBe(first!.body)
    expect([first, second].map((each) => each!.headers['webhook-id'])).toEqual([id, id])
  })

  it('that fails for days is given up, and can be sent again', async () => {
    const one = await seller()
    await orderWith(shop, one.sku)
    answers = { ...answers, status: 500 }
    const statuses = async () => (await logOf(one)).map(({ status }: { status: string }) => status)
    for (let n = 0; n < 10; n++) await attempt(one)
    expect(await statuses()).toEqual(['failed'])
    await attempt(one)
    expect(gotBy(one)).toHaveLength(10)
    const [{ id }] = await logOf(one)
    const replay = () => shop.post(`/webhook-endpoints/${one.id}/deliveries/${id}/replay`, { as: one.user })
    expect((await replay()).body).toMatchObject({ status: 'pending', attempts: 10 })
    await attempt(one)
    expect(await statuses()).toEqual(['pending'])
    expect(await announced(id)).toContain(12)
    answers = { ...answers, status: 204 }
    await replay()
    await attempt(one)
    expect(await statuses()).toEqual(['delivered'])
    expect(new Set(gotBy(one).map(({ headers }) => headers['webhook-id']))).toEqual(new Set([id]))
  })

  it('is not made if its address is not public by then', async () => {
    const one = await seller()
    await orderWith(shop, one.sku)
    await db()
      .update(webhookEndpoints)
      .set({ url: 'https://169.254.169.254/latest/meta-data' })
      .where(eq(webhookEndpoints.id, one.id))
    await attempt(one)
    expect(await logOf(one)).toMatchObject([
      { status: 'pending', answered: null, error: expect.stringContaining('a URL on the public internet') },
    ])
  })

  it('waits for a moment if many others to the endpoint are under way, and holds up nobody else', async () => {
    const [slow, other] = [await seller(), await seller()]
    for (let n = 0; n < 6; n++) await orderWith(shop, slow.sku)
    await orderWith(shop, other.sku)
    const held = Promise.withResolvers<void>()
    const four = Promise.withResolvers<void>()
    came = () => gotBy(slow).length === 4 && four.resolve()
    answers = { status: 204, until: held.promise }
    const due = (await logOf(slow)).map(({ id }: { id: string }) =>
      shop.eventOf('webhook.due', { deliveryId: id, attempt: 1 }, { subject: id }),
    )
    const handled = shop.handleAll('deliver-webhook', due)
    await four.promise
    answers = { status: 204, until: Promise.resolve() }
    await attempt(other)
    expect(gotBy(other)).toHaveLength(1)
    held.resolve()
    expect((await handled).filter(Boolean)).toEqual([])
    expect(gotBy(slow)).toHaveLength(4)
    const waiting = (await logOf(slow, '?status=pending')).map(({ id }: { id: string }) => id)
    expect(waiting).toHaveLength(2)
    for (const id of waiting) expect(await announced(id)).toEqual([1, 1])
  })

  it('is signed with the old secret, too, for a day after it was replaced', async () => {
    const one = await seller()
    const { body } = await shop.post(`/webhook-endpoints/${one.id}/secret`, { as: one.user })
    await orderWith(shop, one.sku)
    await attempt(one)
    const [{ headers, body: sent }] = gotBy(one) as [Got]
    for (const secret of [one.secret, body.secret])
      expect(() => new Webhook(String(secret)).verify(sent, headers as Record<string, string>)).not.toThrow()
    await db()
      .update(webhookEndpoints)
      .set({ oldUntil: sql`now() - interval '1 s'` })
      .where(eq(webhookEndpoints.id, one.id))
    await orderWith(shop, one.sku)
    await attempt(one)
    const later = gotBy(one)[1]!
    const verify = (secret: string) =>
      new Webhook(secret).verify(later.body, later.headers as Record<string, string>)
    expect(() => verify(one.secret)).toThrow('No matching signature found')
    expect(() => verify(String(body.secret))).not.toThrow()
  })

  it('is listed for 30 days, and then deleted', async () => {
    const one = await seller()
    await orderWith(shop, one.sku)
    const [{ id }] = await logOf(one)
    const old = floorOf(new Date(Date.now() - keptMs - 60_000))
    await db().update(webhookDeliveries).set({ id: old }).where(eq(webhookDeliveries.id, id))
    expect(await logOf(one)).toEqual([])
    const isOld = eq(webhookDeliveries.id, old)
    expect(await db().select().from(webhookDeliveries).where(isOld)).toHaveLength(1)
    await orderWith(shop, one.sku)
    expect(await db().select().from(webhookDeliveries).where(isOld)).toEqual([])
    expect(await logOf(one)).toHaveLength(1)
  })

  it('is on one page only', async () => {
    const one = await seller()
    for (let n = 0; n < 3; n++) await orderWith(shop, one.sku)
    const path = `/webhook-endpoints/${one.id}/deliveries?limit=2`
    const first = (await shop.get(path, { as: one.user })).body
    const second = (await shop.get(`${path}&cursor=${first.next}`, { as: one.user })).body
    const ids = [...first.items, ...second.items].map(({ id }: { id: string }) => id)
    expect([ids.length, ids]).toEqual([3, ids.toSorted().toReversed()])
  })
})

describe('an endpoint that fails for days', () => {
  const age = (one: Seller, ms: number) =>
    db()
      .update(webhookEndpoints)
      .set({ failingSince: new Date(Date.now() - ms) })
      .where(eq(webhookEndpoints.id, one.id))
  const told = async (user: User) => (await shop.get('/notifications', { as: user })).body.items

  it('is disabled, and its owner is told once', async () => {
    const one = await seller()
    for (let n = 0; n < 3; n++) await orderWith(shop, one.sku)
    answers = { ...answers, status: 500 }
    await age(one, failingMs - 60_000)
    await attempt(one)
    expect((await endpointNow(one)).status).toBe('enabled')
    await age(one, failingMs)
    const due = (await logOf(one, '?status=pending')).map(
      ({ id, attempts }: { id: string; attempts: number }) =>
        shop.eventOf('webhook.due', { deliveryId: id, attempt: attempts + 1 }, { subject: id }),
    )
    expect((await shop.handleAll('deliver-webhook', due)).filter(Boolean)).toEqual([])
    expect(await endpointNow(one)).toMatchObject({ status: 'disabled', disabledBecause: 'failing' })
    const [notification, ...more] = await told(one.user)
    expect(more).toEqual([])
    expect(notification).toMatchObject({ kind: 'webhook-disabled', orderId: null })
    expect(notification.text).toContain(`${origin}${one.path}`)
    expect(await shop.emitted(notification.id)).toMatchObject([{ type: 'notification.created' }])
  })

  it('is disabled at once if it answers that it is gone', async () => {
    const one = await seller()
    await orderWith(shop, one.sku)
    answers = { ...answers, status: 410 }
    await attempt(one)
    expect(await logOf(one)).toMatchObject([{ status: 'failed', answered: 410 }])
    expect(await endpointNow(one)).toMatchObject({ status: 'disabled', disabledBecause: 'gone' })
    expect(await told(one.user)).toMatchObject([{ kind: 'webhook-disabled' }])
  })

  it('begins anew when it is enabled again', async () => {
    const one = await seller()
    await orderWith(shop, one.sku)
    answers = { ...answers, status: 410 }
    await attempt(one)
    const body = { status: 'enabled' }
    const enabled = await shop.patch(`/webhook-endpoints/${one.id}`, { as: one.user, body, ifMatch: '*' })
    expect(enabled.body).toMatchObject({ status: 'enabled', failingSince: null, disabledBecause: null })
  })
})
