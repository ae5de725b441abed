import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { eq } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPostgres } from '../shared/store/postgres.ts'
import { transaction } from '../shared/store/transaction.ts'
import { expecting } from '../../demo/client/orders.ts'
import { outbox } from '../../events/tables.ts'
import { address, knowProducts, newOrder, place } from '../../test/orders.ts'
import { expectInvalid, expectOwnProblem } from '../../test/problems.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { idempotencyKeys, orders, products } from './order.ts'

let shop: TestShop
/** Replaces list-products, a function of another domain. */
let elsewhere: Server
const product = {
  id: randomUUID(),
  name: 'New',
  price: { amount: 700, currency: 'EUR' },
  sellerId: randomUUID(),
  version: 1,
}

const eur = (amount: number) => ({ amount, currency: 'EUR' })

/** Writes the event of a changed product that no reaction has handled yet. */
async function changed({ sku, price, version }: { sku: string; price: number; version: number }) {
  const db = openPostgres(shop.database('events'))
  const [type, source, id] = ['product.updated', '/products', uuidv7()]
  const data = { productId: uuidv7(), sku, name: sku, price: eur(price), sellerId: uuidv7(), version }
  await db.insert(outbox).values({ id, type, source, subject: sku, data, version })
  await db.client.end()
}

beforeAll(async () => {
  elsewhere = createServer((request, response) => {
    const sku = new URL(request.url!, 'http://x').searchParams.get('sku')
    response.end(JSON.stringify({ items: sku === 'JUST-ADDED' ? [product] : [] }))
  })
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  const { port } = elsewhere.address() as AddressInfo
  shop = await openShop(['orders'], { FUNCTION_URL: `http://127.0.0.1:${port}` })
  await knowProducts(shop, ['MUG', 1250], ['SAW', 3999], ['CAP', 900, 'USD'])
})
afterAll(async () => {
  await shop.close()
  elsewhere.close()
})

describe('create-order', () => {
  it('prices the lines, returns the order and emits order.placed', async () => {
    const user = shop.newUser()
    const body = {
      ...newOrder([
        { sku: 'MUG', quantity: 2 },
        { sku: 'SAW', quantity: 1 },
      ]),
      note: 'ring twice',
    }
    const answer = await shop.post('/orders', { as: user, body })
    expect(answer.status).toBe(201)
    expect(answer.body).toMatchObject({
      customerId: user.id,
      status: 'placed',
      total: { amount: 6499, currency: 'EUR' },
      note: 'ring twice',
    })
    expect(answer.headers.get('location')).toBe(`/api/v1/orders/${answer.body.id}`)
    expect(answer.headers.get('etag')).toBe('"1"')
    expect(await shop.emitted(answer.body.id)).toEqual([
      {
        id: expect.any(String),
        type: 'order.placed',
        subject: answer.body.id,
        data: {
          orderId: answer.body.id,
          customerId: user.id,
          lines: [
            {
              sku: 'MUG',
              quantity: 2,
              unitPrice: 1250,
              discount: 0,
              net: 2101,
              taxRate: 1900,
              tax: 399,
              gross: 2500,
            },
            {
              sku: 'SAW',
              quantity: 1,
              unitPrice: 3999,
              discount: 0,
              net: 3361,
              taxRate: 1900,
              tax: 638,
              gross: 3999,
            },
          ],
          prices: 'gross',
          shipping: { net: 0, taxRate: 1900, tax: 0, gross: 0 },
          total: { amount: 6499, currency: 'EUR' },
        },
      },
    ])
    expect((await shop.get(`/orders/${answer.body.id}`, { as: user })).body).toEqual(answer.body)
  })

  it('reads SKUs in any case', async () => {
    const lines = ['mug', 'Mug', 'MUG'].map((sku) => ({ sku, quantity: 1 }))
    const order = await place(shop, shop.newUser(), newOrder(lines))
    expect(order.lines.map(({ sku }) => sku)).toEqual(['MUG', 'MUG', 'MUG'])
    expect(order.total.amount).toBe(3 * 1250)
  })

  it.each(['JUST-ADDED', 'just-added'])('reads a SKU that it does not have yet: %s', async (sku) => {
    const order = await place(shop, shop.newUser(), newOrder([{ sku, quantity: 3 }]))
    expect(order.total).toEqual({ amount: 2100, currency: 'EUR' })
  })

  it('takes the newest price, whether the projection has it or an event that is still on its way', async () => {
    await knowProducts(shop, ['AXE', 700])
    const total = async () =>
      (await place(shop, shop.newUser(), newOrder([{ sku: 'AXE', quantity: 1 }]))).total.amount
    await changed({ sku: 'AXE', price: 300, version: 3 })
    await changed({ sku: 'AXE', price: 400, version: 2 })
    expect(await total()).toBe(300)
    await shop
      .deps('orders')
      .db.update(products)
      .set({ priceAmount: 500, version: 4 })
      .where(eq(products.sku, 'AXE'))
    expect(await total()).toBe(500)
  })

  it.each([
    ['no lines', { ...newOrder([]) }, 400, 'invalid-request', '/body/lines'],
    [
      'a quantity of 0',
      newOrder([{ sku: 'MUG', quantity: 0 }]),
      400,
      'invalid-request',
      '/body/lines/0/quantity',
    ],
    ['a field of its own', { ...newOrder(), total: 1 }, 400, 'invalid-request', '/body/total'],
    ['an unknown SKU', newOrder([{ sku: 'NOWHERE', quantity: 1 }]), 422, 'unknown-sku', '/body/lines/0/sku'],
    [
      'a currency other than that of the products',
      { ...newOrder(), currency: 'USD' },
      422,
      'mixed-currencies',
      '/body/lines/0/sku',
    ],
    [
      'two currencies',
      newOrder([
        { sku: 'MUG', quantity: 1 },
        { sku: 'CAP', quantity: 1 },
      ]),
      422,
      'mixed-currencies',
      '/body/lines/1/sku',
    ],
  ])('rejects an order with %s', async (_, body, status, problem, pointer) => {
    const answer = await shop.post('/orders', { as: 'customer', body })
    expect(answer.status).toBe(status)
    expect(answer.body.type).toMatch(new RegExp(`/${problem}$`))
    expect(answer.body.errors[0].pointer).toBe(pointer)
  })

  it('refuses an order that costs something else than the customer expects, and writes nothing', async () => {
    const user = shop.newUser()
    const body = expecting(newOrder([{ sku: 'MUG', quantity: 2 }]), new Map([['MUG', eur(1000)]]))
    const send = { as: user, key: randomUUID() }
    const refused = await shop.post('/orders', { ...send, body })
    expect(refused).toMatchObject({
      status: 409,
      body: {
        type: 'https://zeroshop.dev/problems/price-changed',
        errors: [
          { pointer: '/body/lines/0/unitPrice', detail: 'MUG costs 12.50 EUR now' },
          { pointer: '/body/expectedTotal', detail: 'the total is 25.00 EUR now' },
        ],
        lines: [{ sku: 'MUG', unitPrice: 1250 }],
        total: eur(2500),
      },
    })
    expect((await shop.get('/orders', { as: user })).body.items).toEqual([])
    // the prices of the answer are what the next request has to expect, and the key is still free
    const { lines, total: expectedTotal } = refused.body
    const again = { ...body, lines: [{ ...lines[0], quantity: 2 }], expectedTotal }
    expect(await shop.post('/orders', { ...send, body: again })).toMatchObject({
      status: 201,
      body: { total: eur(2500) },
    })
  })

  it('returns the first answer to a retry, even if the price has changed since', async () => {
    await knowProducts(shop, ['LAMP', 300])
    const body = expecting(newOrder([{ sku: 'LAMP', quantity: 1 }]), new Map([['LAMP', eur(300)]]))
    const send = { as: shop.newUser(), key: randomUUID(), body }
    const first = await shop.post('/orders', send)
    await changed({ sku: 'LAMP', price: 400, version: 2 })
    const again = await shop.post('/orders', send)
    expect([again.status, again.text]).toEqual([201, first.text])
    expect((await shop.post('/orders', { ...send, key: randomUUID() })).status).toBe(409)
  })

  it('says which SKU the shop does not have', async () => {
    const lines = [
      { sku: 'MUG', quantity: 1 },
      { sku: 'NONE', quantity: 1 },
    ]
    const detail = 'There is no product NONE.'
    expectOwnProblem(
      await shop.post('/orders', { as: 'customer', body: newOrder(lines) }),
      'unknown-sku',
      [422, 'The shop has no such SKU'],
      detail,
      [{ pointer: '/body/lines/1/sku', detail }],
    )
  })

  it('points to each fault, however deep in the body', async () => {
    const body = {
      ...newOrder([{ sku: '-', quantity: 0 }]),
      deliveryAddress: { ...address, country: 'Germany', planet: 'Earth' },
    }
    expectInvalid(
      await shop.post('/orders', { as: 'customer', body }),
      { pointer: '/body/lines/0/sku', detail: 'letters, digits, dot, dash and underscore, at most 64' },
      { pointer: '/body/lines/0/quantity', detail: 'Too small: expected number to be >=1' },
      { pointer: '/body/deliveryAddress/country', detail: 'an ISO 3166-1 code such as DE' },
      { pointer: '/body/deliveryAddress/planet', detail: 'there is no such field' },
    )
  })

  it('points to 20 faults at most', async () => {
    const lines = Array.from({ length: 50 }, () => ({ sku: '-', quantity: 1 }))
    const { status, body } = await shop.post('/orders', { as: 'customer', body: newOrder(lines) })
    expect([status, body.errors.length]).toEqual([400, 20])
  })

  it('requires a login', async () => {
    expect((await shop.post('/orders', { body: newOrder() })).status).toBe(401)
  })
})

describe('the Idempotency-Key of create-order', () => {
  it('is required', async () => {
    const answer = await shop.post('/orders', { as: 'customer', body: newOrder(), key: null })
    expect(answer).toMatchObject({ status: 400, body: { title: 'An Idempotency-Key header is needed' } })
  })

  it('returns the first answer again, byte for byte, and places no second order', async () => {
    const user = shop.newUser()
    const send = { as: user, body: newOrder(), key: randomUUID() }
    const first = await shop.post('/orders', send)
    const again = await shop.post('/orders', send)
    expect([again.status, again.text]).toEqual([201, first.text])
    expect(again.headers.get('location')).toBe(first.headers.get('location'))
    expect((await shop.get('/orders', { as: user })).body.items).toHaveLength(1)
  })

  it('returns the first answer again even if the product was deleted meanwhile', async () => {
    await knowProducts(shop, ['GOING', 500])
    const send = { as: shop.newUser(), body: newOrder([{ sku: 'GOING', quantity: 1 }]), key: randomUUID() }
    const first = await shop.post('/orders', send)
    await shop
      .deps('orders')
      .db.update(products)
      .set({ deletedAt: new Date() })
      .where(eq(products.sku, 'GOING'))
    const again = await shop.post('/orders', send)
    expect([again.status, again.text]).toEqual([201, first.text])
    expect((await shop.post('/orders', { ...send, key: randomUUID() })).status).toBe(422)
  })

  it('is rejected with a different body', async () => {
    const send = { as: shop.newUser(), key: randomUUID() }
    await shop.post('/orders', { ...send, body: newOrder() })
    const other = await shop.post('/orders', { ...send, body: newOrder([{ sku: 'MUG', quantity: 3 }]) })
    expect(other).toMatchObject({
      status: 422,
      body: { title: 'The Idempotency-Key was used for another request' },
    })
  })

  it('is separate for each caller', async () => {
    const key = randomUUID()
    const one = await place(shop, shop.newUser(), newOrder(), { key })
    const other = await place(shop, shop.newUser(), newOrder(), { key })
    expect(other.id).not.toBe(one.id)
  })

  it('places one order for 20 concurrent requests', async () => {
    const user = shop.newUser()
    const send = { as: user, body: newOrder(), key: randomUUID() }
    const answers = await Promise.all(Array.from({ length: 20 }, () => shop.post('/orders', send)))
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    const placed = await shop.deps('orders').db.select().from(orders).where(eq(orders.customerId, user.id))
    expect(placed).toHaveLength(1)
    expect(await shop.emitted(placed[0]!.id)).toHaveLength(1)
  })

  it('is reported as in use until its first request has committed', async () => {
    const user = shop.newUser()
    const key = randomUUID()
    const { db } = shop.deps('orders')
    const answer = await transaction(db, async (tx) => {
      await tx.insert(idempotencyKeys).values({ caller: user.id, key, hash: 'of the first' })
      return shop.post('/orders', { as: user, body: newOrder(), key })
    })
    expect(answer).toMatchObject({
      status: 409,
      body: { title: expect.stringMatching('still running') as string },
    })
    expect(answer.headers.get('retry-after')).toBe('1')
  })

  it('can be used again after a day', async () => {
    const send = { as: shop.newUser(), key: randomUUID() }
    const first = await shop.post('/orders', { ...send, body: newOrder() })
    const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000)
    await shop
      .deps('orders')
      .db.update(idempotencyKeys)
      .set({ at: yesterday })
      .where(eq(idempotencyKeys.key, send.key))
    const second = await shop.post('/orders', { ...send, body: newOrder([{ sku: 'SAW', quantity: 1 }]) })
    expect(second.status).toBe(201)
    expect(second.body.id).not.toBe(first.body.id)
  })
})
