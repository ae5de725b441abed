import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type TestShop } from '../../test/shop.ts'
import { seedStock } from '../../demo/seed-stock.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['stock'], { LOW_STOCK_THRESHOLD: '3' })
})
afterAll(() => shop.close())

const stocked = async (quantity: number) => {
  const sku = randomUUID().toUpperCase()
  await seedStock(shop.deps('stock').db, [{ sku, sellerId: shop.users.seller.id, quantity: 0 }])
  await adjust(sku, quantity)
  return sku
}
const adjust = (sku: string, quantity: number) =>
  shop.create(`/stock/${sku}/adjustments`, { as: 'seller', body: { quantity, reason: 'correction' } })
const setThreshold = (sku: string, threshold: number | null, send = {}) =>
  shop.patch(`/stock/${sku}`, { as: 'seller', ifMatch: '*', body: { threshold }, ...send })
const place = async (...lines: { sku: string; quantity: number }[]) => {
  const orderId = uuidv7()
  const total = { amount: 1, currency: 'EUR' }
  await shop.react('reserve-stock', 'order.placed', { orderId, customerId: uuidv7(), lines, total })
  return orderId
}
/** What was announced of a SKU, after its opening. */
const announced = async (sku: string) =>
  (await shop.emitted(sku)).slice(1).map(({ type, data }) => [type, data])
const changed = (sku: string, availability: string, version: number) => [
  'stock.availability-changed',
  { sku, availability, version },
]
const low = (sku: string, available: number, threshold = 3) => ['stock.low', { sku, available, threshold }]

describe('the availability of a SKU', () => {
  it('is announced when reserving crosses a boundary, and not otherwise', async () => {
    const sku = await stocked(6)
    expect(await shop.emitted(sku)).toMatchObject([
      { type: 'stock.availability-changed', data: { sku, availability: 'available' } },
    ])
    for (let n = 0; n < 4; n++) await place({ sku, quantity: 1 })
    await place({ sku, quantity: 2 })
    expect(await announced(sku)).toEqual([
      changed(sku, 'low', 5),
      low(sku, 3),
      changed(sku, 'unavailable', 7),
    ])
    expect((await shop.get(`/stock/${sku}`)).body).toMatchObject({
      available: 0,
      threshold: 3,
      availability: 'unavailable',
    })
  })

  it('is announced once for orders that wait together', async () => {
    const [a, b] = [await stocked(5), await stocked(50)]
    const orders = [2, 2, 1].map((quantity) => ({
      orderId: uuidv7(),
      customerId: uuidv7(),
      lines: [a, b].map((sku) => ({ sku, quantity })),
      total: { amount: 1, currency: 'EUR' },
    }))
    await shop.handleAll(
      'reserve-stock',
      orders.map((order) => shop.eventOf('order.placed', order)),
    )
    expect(await announced(a)).toEqual([changed(a, 'unavailable', 3), low(a, 0)])
    expect(await announced(b)).toEqual([])
  })

  it('is announced when stock is released or adjusted', async () => {
    const sku = await stocked(4)
    const orderId = await place({ sku, quantity: 4 })
    await shop.react('release-stock', 'order.cancelled', { orderId, reason: 'changed my mind' })
    await adjust(sku, -2)
    await adjust(sku, 5)
    expect(await announced(sku)).toEqual([
      changed(sku, 'unavailable', 3),
      low(sku, 0),
      changed(sku, 'available', 4),
      changed(sku, 'low', 5),
      low(sku, 2),
      changed(sku, 'available', 6),
    ])
  })

  it('is not announced if the change is not made', async () => {
    const sku = await stocked(4)
    await place({ sku, quantity: 5 })
    const body = { quantity: -5, reason: 'lost' }
    expect((await shop.post(`/stock/${sku}/adjustments`, { as: 'seller', body })).status).toBe(409)
    expect(await announced(sku)).toEqual([])
  })

  it('is announced in order by 20 concurrent changes, and ends as what it is', async () => {
    const sku = await stocked(4)
    // some write-offs are refused, if they come first
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        shop.post(`/stock/${sku}/adjustments`, {
          as: 'seller',
          body: { quantity: i % 2 === 0 ? 2 : -3, reason: 'correction' },
        }),
      ),
    )
    const events = (await shop.emitted(sku)).filter(({ type }) => type === 'stock.availability-changed')
    const states = events.map(({ data }) => data as { availability: string; version: number })
    const last = states.toSorted((a, b) => a.version - b.version).at(-1)
    expect(last).toMatchObject({ availability: (await shop.get(`/stock/${sku}`)).body.availability })
    expect(new Set(states.map(({ version }) => version)).size).toBe(states.length)
  })
})

describe('update-stock', () => {
  it('gives a SKU a threshold of its own, and takes it away again', async () => {
    const sku = await stocked(4)
    const own = await setThreshold(sku, 10)
    expect([own.status, own.body]).toEqual([
      200,
      expect.objectContaining({ threshold: 10, availability: 'low', available: 4 }),
    ])
    const read = await shop.get(`/stock/${sku}`)
    expect([read.body.threshold, read.headers.get('etag')]).toEqual([10, own.headers.get('etag')])
    expect((await setThreshold(sku, null)).body).toMatchObject({ threshold: 3, availability: 'available' })
    expect(await announced(sku)).toEqual([
      changed(sku, 'low', 3),
      low(sku, 4, 10),
      changed(sku, 'available', 4),
    ])
  })

  it('keeps the threshold when the stock changes', async () => {
    const sku = await stocked(20)
    await setThreshold(sku, 10)
    await place({ sku, quantity: 8 })
    await adjust(sku, -2)
    expect((await shop.get(`/stock/${sku}`)).body).toMatchObject({ threshold: 10, availability: 'low' })
  })

  it('never calls a SKU low with a threshold of 0', async () => {
    const sku = await stocked(4)
    await setThreshold(sku, 0)
    await adjust(sku, -3)
    await adjust(sku, -1)
    expect(await announced(sku)).toEqual([changed(sku, 'unavailable', 5), low(sku, 0, 0)])
  })

  it('is allowed for the seller of the SKU and for staff only', async () => {
    const sku = await stocked(1)
    const status = async (as?: unknown) => (await setThreshold(sku, 1, { as })).status
    expect([await status('seller'), await status('staff'), await status('admin')]).toEqual([200, 200, 200])
    expect(await status(shop.newUser('seller'))).toBe(404)
    expect([await status('customer'), await status()]).toEqual([403, 401])
  })

  it.each([-1, 1.5, 1_000_001, 'many'])('refuses a threshold of %s', async (threshold) => {
    const answer = await setThreshold(await stocked(1), null, { body: { threshold } })
    expect(answer.body).toMatchObject({ status: 400, errors: [{ pointer: '/body/threshold' }] })
  })
})
