import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type TestShop } from '../../test/shop.ts'
import { seedStock } from '../../demo/seed-stock.ts'
import { adjustments, items } from './stock.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['stock'])
})
afterAll(() => shop.close())

const db = () => shop.deps('stock').db
const stocked = async (quantity: number) => {
  const sku = randomUUID().toUpperCase()
  await seedStock(db(), [{ sku, sellerId: shop.users.seller.id, quantity }])
  return sku
}
const received = { quantity: 5, reason: 'received' }
const available = async (sku: string) => (await shop.get(`/stock/${sku}`)).body.available

describe('adjust-stock', () => {
  it('receives stock and records the reason', async () => {
    const sku = await stocked(2)
    const body = { ...received, note: 'Delivery 4711' }
    const answer = await shop.post(`/stock/${sku}/adjustments`, { as: 'seller', body })
    expect(answer.status).toBe(201)
    expect(answer.body).toEqual({
      adjustment: {
        ...body,
        id: expect.any(String),
        sku,
        userId: shop.users.seller.id,
        at: expect.any(String),
      },
      stock: {
        sku,
        available: 7,
        reserved: 0,
        sold: 0,
        received: 7,
        threshold: 5,
        availability: 'available',
        updatedAt: expect.any(String),
      },
    })
    const read = await shop.get(`/stock/${sku}`)
    expect(read.body).toMatchObject({ available: 7, received: 7 })
    expect(answer.headers.get('etag')).toBe(read.headers.get('etag'))
    expect(answer.headers.get('location')).toBe(`/api/v1/stock/${sku}`)
    expect(await db().select().from(adjustments).where(eq(adjustments.sku, sku))).toMatchObject([
      { quantity: 2, reason: 'received' },
      { quantity: 5, reason: 'received', note: 'Delivery 4711', userId: shop.users.seller.id },
    ])
  })

  it('writes off no more than is available', async () => {
    const sku = await stocked(2)
    const writeOff = (quantity: number) =>
      shop.post(`/stock/${sku}/adjustments`, { as: 'staff', body: { quantity, reason: 'damaged' } })
    const tooMuch = await writeOff(-3)
    expect(tooMuch.body).toMatchObject({ status: 409, type: expect.stringContaining('stock-too-low') })
    expect(await available(sku)).toBe(2)
    expect((await writeOff(-2)).body).toMatchObject({ adjustment: { note: null }, stock: { available: 0 } })
  })

  it('does not write off stock that is reserved for orders', async () => {
    const sku = await stocked(5)
    await db().update(items).set({ available: 1, reserved: 4 }).where(eq(items.sku, sku))
    const body = { quantity: -2, reason: 'lost' }
    expect((await shop.post(`/stock/${sku}/adjustments`, { as: 'admin', body })).status).toBe(409)
  })

  it('loses none of 30 concurrent adjustments', async () => {
    // enough for all decreases, even if they run first
    const sku = await stocked(30)
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        shop.post(`/stock/${sku}/adjustments`, {
          as: 'seller',
          body: { quantity: i % 2 === 0 ? 3 : -2, reason: 'correction' },
        }),
      ),
    )
    expect(answers.filter((a) => a.status !== 201).map((a) => a.text)).toEqual([])
    expect(await available(sku)).toBe(30 + 15 * 3 - 15 * 2)
  })

  it('is allowed for the seller of the SKU and for staff only', async () => {
    const sku = await stocked(0)
    const status = async (as?: Parameters<TestShop['post']>[1]) =>
      (await shop.post(`/stock/${sku}/adjustments`, { ...as, body: received })).status
    expect(await status({ as: 'seller' })).toBe(201)
    expect(await status({ as: 'staff' })).toBe(201)
    expect(await status({ as: 'admin' })).toBe(201)
    expect(await status({ as: shop.newUser('seller') })).toBe(404)
    expect(await status({ as: 'customer' })).toBe(403)
    expect(await status()).toBe(401)
  })

  it.each([
    ['/body/quantity', { quantity: 0 }],
    ['/body/quantity', { quantity: 1.5 }],
    ['/body/quantity', { quantity: 1_000_001 }],
    ['/body/quantity', { quantity: -1 }],
    ['/body/quantity', { quantity: 1, reason: 'lost' }],
    ['/body/reason', { reason: 'stolen' }],
    ['/body/note', { note: '' }],
    ['/body/sku', { sku: 'OTHER' }],
  ])('rejects an invalid value at %s', async (pointer, part) => {
    const sku = await stocked(5)
    const answer = await shop.post(`/stock/${sku}/adjustments`, {
      as: 'seller',
      body: { ...received, ...part },
    })
    expect(answer.body).toMatchObject({ status: 400, errors: [{ pointer }] })
  })
})

describe('the Idempotency-Key of adjust-stock', () => {
  const send = { as: 'seller' as const, body: JSON.stringify(received) }

  it('is required', async () => {
    const answer = await shop.post(`/stock/${await stocked(0)}/adjustments`, { ...send, key: null })
    expect(answer.body).toMatchObject({
      status: 400,
      type: expect.stringContaining('idempotency-key-missing'),
    })
  })

  it('returns the first answer again, byte for byte', async () => {
    const sku = await stocked(0)
    const key = randomUUID()
    const first = await shop.post(`/stock/${sku}/adjustments`, { ...send, key })
    await shop.post(`/stock/${sku}/adjustments`, send)
    const again = await shop.post(`/stock/${sku}/adjustments`, { ...send, key })
    expect([again.status, again.text]).toEqual([201, first.text])
    expect(again.headers.get('etag')).toBe(first.headers.get('etag'))
    expect(await available(sku)).toBe(10)
  })

  it('is rejected with a different body or SKU', async () => {
    const sku = await stocked(0)
    const key = randomUUID()
    await shop.post(`/stock/${sku}/adjustments`, { ...send, key })
    const body = { quantity: 6, reason: 'received' }
    expect((await shop.post(`/stock/${sku}/adjustments`, { ...send, key, body })).status).toBe(422)
    expect((await shop.post(`/stock/${await stocked(0)}/adjustments`, { ...send, key })).status).toBe(422)
  })

  it('adjusts once for 20 concurrent requests, all with the same answer', async () => {
    const sku = await stocked(0)
    const key = randomUUID()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => shop.post(`/stock/${sku}/adjustments`, { ...send, key })),
    )
    expect(new Set(answers.map((a) => `${a.status} ${a.text}`)).size).toBe(1)
    expect(answers[0]!.status).toBe(201)
    expect(await available(sku)).toBe(5)
  })
})

describe('seeding', () => {
  it('fills only accounts that never had any stock', async () => {
    const sellerId = shop.users.seller.id
    const [fresh, opened] = [randomUUID(), randomUUID()].map((sku) => sku.toUpperCase()) as [string, string]
    const used = await stocked(3)
    await shop.react('open-stock', 'product.created', {
      productId: uuidv7(),
      sku: opened,
      name: 'Mug',
      price: { amount: 1, currency: 'EUR' },
      sellerId,
      version: 1,
    })
    await shop.post(`/stock/${used}/adjustments`, { as: 'seller', body: { quantity: -3, reason: 'lost' } })
    for (let i = 0; i < 2; i++)
      await seedStock(
        db(),
        [fresh, opened, used].map((sku) => ({ sku, sellerId, quantity: 9 })),
      )
    expect(await Promise.all([fresh, opened, used].map(available))).toEqual([9, 9, 0])
    const history = await db().select().from(adjustments).where(eq(adjustments.sku, fresh))
    expect(history).toHaveLength(1)
  })
})
