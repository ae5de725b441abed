import { inArray } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { items, type Line } from './stock.ts'
import { openPostgres, type Db } from '../shared/store/postgres.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { catalogue, type EventData } from '../../events/catalogue.ts'
import { releaseStock } from './release-stock.ts'
import { commitStock } from './commit-stock.ts'
import { reserveStock } from './reserve-stock.ts'
import { account, delivering, random, stocked } from './fixtures.ts'

let shop: TestShop
/** A pool with as many connections as several instances of the function have. */
let busy: Db
beforeAll(async () => {
  shop = await openShop(['stock'])
  const { host, port, user, pass, database } = shop.deps('stock').db.client.options
  busy = openPostgres(`postgres://${user}:${String(pass)}@${host[0]}:${port[0]}/${database}`, { max: 8 })
})
afterAll(async () => {
  await busy.client.end()
  await shop.close()
})

const db = () => shop.deps('stock').db

const placed = (lines: Line[], orderId = uuidv7()): EventData<'order.placed'> => ({
  orderId,
  customerId: uuidv7(),
  lines,
  total: { amount: 100, currency: 'EUR' },
})
const place = (order: EventData<'order.placed'>, id?: string) =>
  shop.react('reserve-stock', 'order.placed', order, id)
const cancel = (orderId: string, id?: string) =>
  shop.react('release-stock', 'order.cancelled', { orderId, reason: 'changed my mind' }, id)
const complete = (orderId: string, id?: string) =>
  shop.react('commit-stock', 'order.completed', { orderId }, id)
const told = async (orderId: string) => (await shop.emitted(orderId)).map(({ type }) => type)

describe('reserve-stock', () => {
  it('reserves every line and emits what the payment needs', async () => {
    const [a, b] = await stocked(shop, 5, 2)
    const order = placed([
      { sku: b!, quantity: 1 },
      { sku: a!, quantity: 2 },
      { sku: b!, quantity: 1 },
    ])
    await place(order)
    expect(await account(shop, a!)).toEqual({ available: 3, reserved: 2, sold: 0 })
    expect(await account(shop, b!)).toEqual({ available: 0, reserved: 2, sold: 0 })
    const { orderId, customerId, total } = order
    expect(await shop.emitted(orderId)).toMatchObject([
      { type: 'stock.reserved', subject: orderId, data: { orderId, customerId, total } },
    ])
  })

  it('reserves nothing if a line, or several lines of one SKU together, are too large', async () => {
    const [a, b] = await stocked(shop, 5, 3)
    const order = placed([
      { sku: a!, quantity: 1 },
      { sku: b!, quantity: 2 },
      { sku: b!, quantity: 2 },
      { sku: 'UNKNOWN', quantity: 1 },
    ])
    await place(order)
    expect([(await account(shop, a!)).available, (await account(shop, b!)).available]).toEqual([5, 3])
    const shortages = [
      { sku: b, requested: 4, available: 3 },
      { sku: 'UNKNOWN', requested: 1, available: 0 },
    ]
    const [rejected] = await shop.emitted(order.orderId)
    expect(rejected).toMatchObject({ type: 'stock.rejected', data: { orderId: order.orderId } })
    expect(catalogue['stock.rejected'].data.parse(rejected?.data).shortages).toEqual(
      shortages.sort((one, other) => (one.sku! < other.sku! ? -1 : 1)),
    )
  })

  it('reserves once for repeated and concurrent events of one order', async () => {
    const [a] = await stocked(shop, 5)
    const order = placed([{ sku: a!, quantity: 2 }])
    const { id } = await place(order)
    await Promise.all([place(order, id), place(order, id), place(order)])
    expect(await account(shop, a!)).toEqual({ available: 3, reserved: 2, sold: 0 })
    expect(await told(order.orderId)).toEqual(['stock.reserved'])
  })

  it('does not reserve after a rejection, even if more stock has arrived', async () => {
    const [a] = await stocked(shop, 1)
    const order = placed([{ sku: a!, quantity: 2 }])
    await place(order)
    await shop.post(`/stock/${a}/adjustments`, { as: 'seller', body: { quantity: 9, reason: 'received' } })
    await place(order)
    await cancel(order.orderId)
    expect(await account(shop, a!)).toEqual({ available: 10, reserved: 0, sold: 0 })
    expect(await told(order.orderId)).toEqual(['stock.rejected'])
  })
})

describe('release-stock', () => {
  it('releases reserved stock once', async () => {
    const [a] = await stocked(shop, 5)
    const order = placed([{ sku: a!, quantity: 2 }])
    await place(order)
    const { id } = await cancel(order.orderId)
    await Promise.all([cancel(order.orderId, id), cancel(order.orderId)])
    expect(await account(shop, a!)).toEqual({ available: 5, reserved: 0, sold: 0 })
    expect(await told(order.orderId)).toEqual(['stock.reserved', 'stock.released'])
  })

  it('prevents the reservation of an order that is already cancelled', async () => {
    const [a] = await stocked(shop, 5)
    const order = placed([{ sku: a!, quantity: 2 }])
    await cancel(order.orderId)
    await place(order)
    expect(await account(shop, a!)).toEqual({ available: 5, reserved: 0, sold: 0 })
    expect(await told(order.orderId)).toEqual([])
  })

  it('does not release sold stock', async () => {
    const [a] = await stocked(shop, 5)
    const order = placed([{ sku: a!, quantity: 2 }])
    await place(order)
    await complete(order.orderId)
    await cancel(order.orderId)
    expect(await account(shop, a!)).toEqual({ available: 3, reserved: 0, sold: 2 })
  })
})

describe('release-stock, of an order of which a part was shipped', () => {
  const release = (orderId: string, kept: EventData<'order.cancelled'>['kept'] & object) =>
    shop.react('release-stock', 'order.cancelled', { orderId, reason: 'cancelled on request', kept })
  const keeping = (...items: { sku: string; quantity: number }[]) => [{ parcelId: uuidv7(), items }]

  it('sells what the customer keeps, and gives the rest back', async () => {
    const [a, b] = await stocked(shop, 5, 5)
    const order = placed([
      { sku: a!, quantity: 3 },
      { sku: b!, quantity: 1 },
    ])
    await place(order)
    const kept = [...keeping({ sku: a!, quantity: 1 }), ...keeping({ sku: a!, quantity: 1 })]
    await release(order.orderId, kept)
    await release(order.orderId, kept)
    expect(await account(shop, a!)).toEqual({ available: 3, reserved: 0, sold: 2 })
    expect(await account(shop, b!)).toEqual({ available: 5, reserved: 0, sold: 0 })
    expect(await told(order.orderId)).toEqual(['stock.reserved', 'stock.released', 'stock.committed'])
  })

  it('gives nothing back if the customer keeps all', async () => {
    const [a] = await stocked(shop, 5)
    const order = placed([{ sku: a!, quantity: 2 }])
    await place(order)
    await release(order.orderId, keeping({ sku: a!, quantity: 2 }))
    expect(await account(shop, a!)).toEqual({ available: 3, reserved: 0, sold: 2 })
    expect(await told(order.orderId)).toEqual(['stock.reserved', 'stock.committed'])
  })
})

describe('commit-stock', () => {
  it('turns reserved stock into sold stock once', async () => {
    const [a] = await stocked(shop, 5)
    const order = placed([{ sku: a!, quantity: 2 }])
    await place(order)
    const { id } = await complete(order.orderId)
    await Promise.all([complete(order.orderId, id), complete(order.orderId)])
    expect(await account(shop, a!)).toEqual({ available: 3, reserved: 0, sold: 2 })
    expect(await told(order.orderId)).toEqual(['stock.reserved', 'stock.committed'])
  })

  it('does nothing if the stock was released or never reserved', async () => {
    const [a] = await stocked(shop, 5)
    const order = placed([{ sku: a!, quantity: 2 }])
    await place(order)
    await cancel(order.orderId)
    await complete(order.orderId)
    await complete(uuidv7())
    expect(await account(shop, a!)).toEqual({ available: 5, reserved: 0, sold: 0 })
    expect(await told(order.orderId)).toEqual(['stock.reserved', 'stock.released'])
  })
})

describe('orders that wait together', () => {
  it('are released or sold as if they came one after another', async () => {
    const [a, b] = await stocked(shop, 9, 9)
    const orders = [1, 2, 3, 4].map((quantity) =>
      placed([
        { sku: a!, quantity: 1 },
        { sku: b!, quantity },
      ]),
    )
    for (const order of orders.slice(0, 3)) await place(order)
    const [sold, ...rest] = orders.map(({ orderId }) => orderId)
    await complete(sold!)
    const cancelled = [sold!, ...rest].map((orderId) =>
      shop.eventOf('order.cancelled', { orderId, reason: 'changed my mind' }),
    )
    const none = [undefined, undefined, undefined, undefined]
    expect(await shop.handleAll('release-stock', cancelled)).toEqual(none)
    expect(await account(shop, a!)).toEqual({ available: 8, reserved: 0, sold: 1 })
    expect(await account(shop, b!)).toEqual({ available: 8, reserved: 0, sold: 1 })
    expect(await Promise.all(orders.map(({ orderId }) => told(orderId)))).toEqual([
      ['stock.reserved', 'stock.committed'],
      ['stock.reserved', 'stock.released'],
      ['stock.reserved', 'stock.released'],
      // it was not placed
      [],
    ])
    const others = [placed([{ sku: a!, quantity: 2 }]), placed([{ sku: a!, quantity: 3 }])]
    for (const order of others) await place(order)
    const completed = [...others.map(({ orderId }) => orderId), ...rest].map((orderId) =>
      shop.eventOf('order.completed', { orderId }),
    )
    expect((await shop.handleAll('commit-stock', completed)).filter(Boolean)).toEqual([])
    expect(await account(shop, a!)).toEqual({ available: 3, reserved: 0, sold: 6 })
  })

  it('are reserved as if they came one after another', async () => {
    const [a, b] = await stocked(shop, 5, 1)
    const orders = [
      placed([{ sku: a!, quantity: 2 }]),
      placed([{ sku: a!, quantity: 3 }]),
      placed([{ sku: a!, quantity: 1 }]),
      placed([{ sku: b!, quantity: 1 }]),
      placed([{ sku: b!, quantity: 1 }]),
    ]
    const gone = placed([{ sku: a!, quantity: 1 }])
    await cancel(gone.orderId)
    const events = [gone, ...orders].map((order) => shop.eventOf('order.placed', order))
    expect(await shop.handleAll('reserve-stock', events)).toEqual(events.map(() => undefined))
    expect(await account(shop, a!)).toEqual({ available: 0, reserved: 5, sold: 0 })
    expect(await account(shop, b!)).toEqual({ available: 0, reserved: 1, sold: 0 })
    const outcome = await Promise.all(orders.map(({ orderId }) => told(orderId)))
    expect(outcome.map(([first]) => first)).toEqual([
      'stock.reserved',
      'stock.reserved',
      'stock.rejected',
      'stock.reserved',
      'stock.rejected',
    ])
    expect(await told(gone.orderId)).toEqual([])
  })

  it('take effect once, even if one of them has been handled before', async () => {
    const [a] = await stocked(shop, 5)
    const events = [1, 2].map((quantity) => shop.eventOf('order.placed', placed([{ sku: a!, quantity }])))
    await shop.handle('reserve-stock', events[0]!)
    for (let run = 0; run < 2; run++)
      expect(await shop.handleAll('reserve-stock', [...events, events[1]!])).toEqual(Array(3).fill(undefined))
    expect(await account(shop, a!)).toEqual({ available: 2, reserved: 3, sold: 0 })
  })
})

const cancelled = (orderId: string) =>
  delivering(shop, busy)(releaseStock, 'order.cancelled', { orderId, reason: 'test' })
const completed = (orderId: string) => delivering(shop, busy)(commitStock, 'order.completed', { orderId })

const runToItsEnd = async (order: EventData<'order.placed'>, i: number) => {
  const { orderId } = order
  const reserving = delivering(shop, busy)(reserveStock, 'order.placed', order)
  if (i % 3 === 0) return Promise.all([reserving, cancelled(orderId)])
  await reserving
  return Promise.all([completed(orderId), i % 3 === 1 ? completed(orderId) : cancelled(orderId)])
}

describe('concurrent orders', () => {
  it('reserve the last unit for one of 200', async () => {
    const [a] = await stocked(shop, 1)
    const orders = Array.from({ length: 200 }, () => placed([{ sku: a!, quantity: 1 }]))
    await Promise.all(orders.map((data) => delivering(shop, busy)(reserveStock, 'order.placed', data)))
    expect(await account(shop, a!)).toEqual({ available: 0, reserved: 1, sold: 0 })
    const ids = new Set(orders.map(({ orderId }) => orderId))
    const types = (await shop.emitted()).filter((e) => ids.has(e.subject)).map(({ type }) => type)
    expect(types.filter((type) => type === 'stock.reserved')).toHaveLength(1)
    expect(types.filter((type) => type === 'stock.rejected')).toHaveLength(199)
  })

  it('neither deadlock nor oversell, with several SKUs, cancellations and completions', async () => {
    const skus = await stocked(shop, 40, 40, 40, 40)
    const orders = Array.from({ length: 120 }, () =>
      placed(
        Array.from({ length: 1 + random(5) }, () => ({ sku: skus[random(4)]!, quantity: 1 + random(3) })),
      ),
    )
    await Promise.all(orders.map(runToItsEnd))
    const rows = await db().select().from(items).where(inArray(items.sku, skus))
    for (const { available, reserved, sold, received } of rows)
      expect([reserved, available + sold, received]).toEqual([0, 40, 40])
    const emitted = await shop.emitted()
    for (const { orderId } of orders) {
      const types = emitted.filter((e) => e.subject === orderId).map(({ type }) => type)
      expect(types.length).toBeLessThanOrEqual(2)
      expect(new Set(types).size).toBe(types.length)
    }
  })
})
