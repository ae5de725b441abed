import { eq, inArray } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type TestShop } from '../../test/shop.ts'
import { openPostgres, type Db } from '../shared/store/postgres.ts'
import { backorderStock } from './backorder-stock.ts'
import { commitStock } from './commit-stock.ts'
import { releaseStock } from './release-stock.ts'
import { backorderLines, backorders, items, reservations, type Line } from './stock.ts'
import { account, delivering, random, stocked } from './fixtures.ts'

let shop: TestShop
/** A pool with as many connections as several instances of the functions have. */
let busy: Db
beforeAll(async () => {
  shop = await openShop(['stock'])
  busy = openPostgres(shop.database('stock'), { max: 8 })
})
afterAll(async () => {
  await busy.client.end()
  await shop.close()
})

const db = () => shop.deps('stock').db
const line = (sku: string, quantity: number): Line => ({ sku, quantity })
const total = { amount: 100, currency: 'EUR' }

function place(lines: Line[], onShortage?: 'partial' | 'ask') {
  const order = { orderId: uuidv7(), customerId: uuidv7(), total }
  return {
    ...order,
    done: shop.react('reserve-stock', 'order.placed', { ...order, lines, ...(onShortage && { onShortage }) }),
  }
}
type Placed = Pick<ReturnType<typeof place>, 'orderId' | 'customerId'>
const wait = ({ orderId, customerId }: Placed, missing: Line[]) =>
  shop.react('backorder-stock', 'order.backordered', { orderId, customerId, missing, total })
const receive = (sku: string, quantity: number) =>
  shop.create(`/stock/${sku}/adjustments`, { as: 'seller', body: { quantity, reason: 'received' } })
const cancel = ({ orderId }: Placed) =>
  shop.react('release-stock', 'order.cancelled', { orderId, reason: 'changed my mind' })
const complete = ({ orderId }: Placed) => shop.react('commit-stock', 'order.completed', { orderId })
const told = async ({ orderId }: Placed) => (await shop.emitted(orderId)).map(({ type }) => type)

/** Places an order that gets some, and waits for what is missing. */
async function waiting(lines: Line[], missing: Line[]) {
  const order = place(lines, 'ask')
  await order.done
  await wait(order, missing)
  return order
}

describe('an order of which a part is there', () => {
  it('gets that part if it takes less than all', async () => {
    const [a, b, c] = await stocked(shop, 5, 1, 0)
    const order = place([line(b!, 2), line(a!, 2), line(b!, 1), line(c!, 1)], 'partial')
    await order.done
    expect(await account(shop, a!)).toEqual({ available: 3, reserved: 2, sold: 0 })
    expect(await account(shop, b!)).toEqual({ available: 0, reserved: 1, sold: 0 })
    const [event] = await shop.emitted(order.orderId)
    const shortages = [
      { sku: b, requested: 3, available: 1 },
      { sku: c, requested: 1, available: 0 },
    ]
    expect(event).toMatchObject({
      type: 'stock.partly-reserved',
      data: { orderId: order.orderId, shortages: shortages.toSorted((x, y) => (x.sku! < y.sku! ? -1 : 1)) },
    })
    await cancel(order)
    expect(await account(shop, a!)).toEqual({ available: 5, reserved: 0, sold: 0 })
    expect(await account(shop, b!)).toEqual({ available: 1, reserved: 0, sold: 0 })
  })

  it.each(['partial', 'ask'] as const)('is rejected if nothing is there: %s', async (onShortage) => {
    const [a] = await stocked(shop, 0)
    const order = place([line(a!, 1), line('UNKNOWN', 1)], onShortage)
    await order.done
    expect(await told(order)).toEqual(['stock.rejected'])
  })

  it('sells the part', async () => {
    const [a] = await stocked(shop, 1)
    const order = place([line(a!, 3)], 'partial')
    await order.done
    await complete(order)
    expect(await account(shop, a!)).toEqual({ available: 0, reserved: 0, sold: 1 })
  })
})

describe('a backorder', () => {
  it('is filled by what is received, and the order is reserved when it has all', async () => {
    const [a, b] = await stocked(shop, 1, 0)
    const order = await waiting([line(a!, 3), line(b!, 1)], [line(a!, 2), line(b!, 1)])
    await receive(b!, 5)
    expect(await account(shop, b!)).toEqual({ available: 4, reserved: 1, sold: 0 })
    await receive(a!, 1)
    expect(await account(shop, a!)).toEqual({ available: 0, reserved: 2, sold: 0 })
    expect(await told(order)).toEqual(['stock.partly-reserved'])
    await receive(a!, 1)
    const { orderId, customerId } = order
    expect((await shop.emitted(orderId)).slice(1)).toMatchObject([
      { type: 'stock.reserved', data: { orderId, customerId, total } },
    ])
    await complete(order)
    expect(await account(shop, a!)).toEqual({ available: 0, reserved: 0, sold: 3 })
    expect(await account(shop, b!)).toEqual({ available: 4, reserved: 0, sold: 1 })
    expect(await db().select().from(backorderLines).where(eq(backorderLines.orderId, orderId))).toEqual([])
    const { body: history } = await shop.get(`/stock/${a}/history?type=reserved`, { as: 'seller' })
    expect(history.items.map(({ quantity }: Line) => quantity)).toEqual([1, 1, 1])
  })

  it('gets at once what has come since the order was placed', async () => {
    const [a] = await stocked(shop, 1)
    const order = place([line(a!, 3)], 'ask')
    await order.done
    await receive(a!, 5)
    await wait(order, [line(a!, 2)])
    expect(await account(shop, a!)).toEqual({ available: 3, reserved: 3, sold: 0 })
    expect(await told(order)).toEqual(['stock.partly-reserved', 'stock.reserved'])
  })

  it('is served in the order in which orders were placed, and before any new order', async () => {
    const [a] = await stocked(shop, 2)
    const early = place([line(a!, 2)], 'ask')
    await early.done
    await receive(a!, 1)
    const first = place([line(a!, 3)], 'ask')
    await first.done
    await receive(a!, 1)
    const second = place([line(a!, 2)], 'ask')
    await second.done
    await wait(second, [line(a!, 1)])
    await wait(first, [line(a!, 2)])
    await receive(a!, 1)
    expect(await told(second)).toEqual(['stock.partly-reserved'])
    await receive(a!, 1)
    const third = place([line(a!, 1)])
    await third.done
    expect(await told(first)).toEqual(['stock.partly-reserved', 'stock.reserved'])
    expect(await told(second)).toEqual(['stock.partly-reserved'])
    expect(await told(third)).toEqual(['stock.rejected'])
    await receive(a!, 4)
    expect(await told(second)).toEqual(['stock.partly-reserved', 'stock.reserved'])
    expect(await account(shop, a!)).toEqual({ available: 3, reserved: 7, sold: 0 })
  })

  it('goes to the next order if its own is cancelled', async () => {
    const [a] = await stocked(shop, 1)
    const first = await waiting([line(a!, 4)], [line(a!, 3)])
    const second = await waitingForNothing(a!)
    await receive(a!, 2)
    expect(await account(shop, a!)).toEqual({ available: 0, reserved: 3, sold: 0 })
    await cancel(first)
    expect(await account(shop, a!)).toEqual({ available: 1, reserved: 2, sold: 0 })
    expect(await told(first)).toEqual(['stock.partly-reserved', 'stock.released'])
    expect(await told(second)).toEqual(['stock.partly-reserved', 'stock.reserved'])
  })

  /** An order of a SKU that is there, and of one of another, which is not. */
  async function waitingForNothing(sku: string) {
    const [other] = await stocked(shop, 1)
    return waiting([line(other!, 1), line(sku, 2)], [line(sku, 2)])
  }

  it('is not made for an order that is cancelled', async () => {
    const [a] = await stocked(shop, 1)
    const order = place([line(a!, 2)], 'ask')
    await order.done
    await cancel(order)
    await wait(order, [line(a!, 1)])
    await receive(a!, 3)
    expect(await account(shop, a!)).toEqual({ available: 4, reserved: 0, sold: 0 })
    expect(await db().select().from(backorders).where(eq(backorders.orderId, order.orderId))).toEqual([])
  })

  it('is filled by many adjustments at once, too', async () => {
    const [a] = await stocked(shop, 1)
    const order = await waiting([line(a!, 2)], [line(a!, 1)])
    await shop.post('/stock/adjustments', {
      as: 'seller',
      headers: { 'content-type': 'application/x-ndjson' },
      body: `${JSON.stringify({ sku: a, quantity: 3, reason: 'received' })}\n`,
    })
    await expect.poll(() => told(order)).toEqual(['stock.partly-reserved', 'stock.reserved'])
    expect(await account(shop, a!)).toEqual({ available: 2, reserved: 2, sold: 0 })
  })
})

describe('concurrent backorders', () => {
  it('neither deadlock nor get more than is there, while stock comes and orders end', async () => {
    const skus = await stocked(shop, 20, 20, 20)
    const wanted = Array.from({ length: 40 }, () => skus.map((sku) => line(sku, 1 + random(3))))
    const orders = wanted.map((lines) => ({ lines, ...place(lines, 'ask') }))
    await Promise.all(orders.map(({ done }) => done))
    const held = new Map(
      (await db().select().from(reservations)).map(({ orderId, lines }) => [orderId, lines]),
    )
    const short = orders.flatMap(({ orderId, customerId, lines }) => {
      const got = new Map(held.get(orderId)!.map(({ sku, quantity }) => [sku, quantity]))
      const missing = lines
        .map(({ sku, quantity }) => line(sku, quantity - (got.get(sku) ?? 0)))
        .filter(({ quantity }) => quantity > 0)
      return got.size === 0 || missing.length === 0 ? [] : [{ orderId, customerId, missing }]
    })
    expect(short.length).toBeGreaterThan(0)
    const ended = new Set(orders.filter((_, i) => i % 3 === 0).map(({ orderId }) => orderId))
    await Promise.all([
      ...short.map(({ orderId, customerId, missing }) =>
        delivering(shop, busy)(backorderStock, 'order.backordered', { orderId, customerId, missing, total }),
      ),
      ...[...ended].map((orderId) =>
        delivering(shop, busy)(releaseStock, 'order.cancelled', { orderId, reason: 'test' }),
      ),
      ...skus.flatMap((sku) => [1, 2, 3].map((quantity) => receive(sku, quantity))),
    ])
    const check = async () => {
      const rows = await db().select().from(items).where(inArray(items.sku, skus))
      const lines = await db().select().from(backorderLines).where(inArray(backorderLines.sku, skus))
      const reserved = (await db().select().from(reservations)).flatMap((one) =>
        one.state === 'reserved' ? one.lines : [],
      )
      for (const row of rows) {
        const own = lines.filter(({ sku }) => sku === row.sku)
        const sum = (of: readonly { sku: string; quantity: number }[]) =>
          of.filter(({ sku }) => sku === row.sku).reduce((all, { quantity }) => all + quantity, 0)
        expect(row.reserved).toBe(sum(reserved) + own.reduce((all, { filled }) => all + filled, 0))
        expect(row.available + row.reserved + row.sold).toBe(row.received)
        if (own.some(({ filled, quantity }) => filled < quantity)) expect(row.available).toBe(0)
        // first come first served: who gets some has nobody before who lacks any
        const byPlacing = own.toSorted((x, y) => (x.orderId < y.orderId ? -1 : 1))
        expect(lines.every(({ orderId }) => !ended.has(orderId))).toBe(true)
        expect(
          byPlacing.filter(({ filled, quantity }) => filled > 0 && filled < quantity).length,
        ).toBeLessThan(short.length)
      }
    }
    await check()
    await Promise.all(skus.map((sku) => receive(sku, 500)))
    await check()
    const emitted = await shop.emitted()
    for (const { orderId } of short.filter(({ orderId }) => !ended.has(orderId)))
      expect(emitted.filter((e) => e.subject === orderId && e.type === 'stock.reserved')).toHaveLength(1)
    const rest = orders.filter(({ orderId }) => !ended.has(orderId))
    await Promise.all(
      rest.map(({ orderId }, i) =>
        i % 2 === 0
          ? delivering(shop, busy)(commitStock, 'order.completed', { orderId })
          : delivering(shop, busy)(releaseStock, 'order.cancelled', { orderId, reason: 'test' }),
      ),
    )
    await check()
    const rows = await db().select().from(items).where(inArray(items.sku, skus))
    for (const { reserved } of rows) expect(reserved).toBe(0)
  })
})
