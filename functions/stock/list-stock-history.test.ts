import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import postgres from 'postgres'
import { openShop, type TestShop } from '../../test/shop.ts'
import { seedStock } from '../../demo/seed-stock.ts'
import type { Db } from '../shared/store/postgres.ts'
import { readMovements } from './movements.ts'
import { movements } from './stock.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['stock'])
})
afterAll(() => shop.close())

const stocked = async (quantity: number) => {
  const sku = randomUUID().toUpperCase()
  await seedStock(shop.deps('stock').db, [{ sku, sellerId: shop.users.seller.id, quantity }])
  return sku
}
const adjust = (sku: string, body: object, as: 'seller' | 'staff' = 'seller') =>
  shop.create(`/stock/${sku}/adjustments`, { as, body })
const total = { amount: 1, currency: 'EUR' }
const place = async (...lines: { sku: string; quantity: number }[]) => {
  const orderId = uuidv7()
  await shop.react('reserve-stock', 'order.placed', { orderId, customerId: uuidv7(), lines, total })
  return orderId
}
const cancel = (orderId: string, id?: string) =>
  shop.react('release-stock', 'order.cancelled', { orderId, reason: 'changed my mind' }, id)
const complete = (orderId: string, id?: string) =>
  shop.react('commit-stock', 'order.completed', { orderId }, id)
const history = async (sku: string, query = '') =>
  (await shop.get(`/stock/${sku}/history${query}`, { as: 'seller' })).body
const summary = async (sku: string, query = '') =>
  (await history(sku, query)).items.map(({ type, quantity, orderId }: Record<string, unknown>) => [
    type,
    quantity,
    orderId,
  ])

describe('list-stock-history', () => {
  it('tells what happened to a SKU, who did it and why, newest first', async () => {
    const [sku, other] = [await stocked(1), await stocked(9)]
    await adjust(sku, { quantity: 9, reason: 'received', note: 'Delivery 4711' }, 'staff')
    const sold = await place({ sku, quantity: 2 }, { sku: other, quantity: 1 }, { sku, quantity: 1 })
    const cancelled = await place({ sku, quantity: 4 })
    await complete(sold)
    await cancel(cancelled)
    await adjust(sku, { quantity: -1, reason: 'damaged' })
    const any = { id: expect.any(String), at: expect.any(String) }
    expect((await history(sku)).items).toEqual([
      { ...any, type: 'adjusted', quantity: -1, userId: shop.users.seller.id, reason: 'damaged' },
      { ...any, type: 'released', quantity: 4, orderId: cancelled },
      { ...any, type: 'sold', quantity: 3, orderId: sold },
      { ...any, type: 'reserved', quantity: 4, orderId: cancelled },
      { ...any, type: 'reserved', quantity: 3, orderId: sold },
      {
        ...any,
        type: 'adjusted',
        quantity: 9,
        userId: shop.users.staff.id,
        reason: 'received',
        note: 'Delivery 4711',
      },
      {
        ...any,
        type: 'adjusted',
        quantity: 1,
        userId: shop.users.seller.id,
        reason: 'received',
        note: expect.any(String),
      },
    ])
  })

  it('has nothing of an order that was refused, and each thing once, however often it is delivered', async () => {
    const sku = await stocked(5)
    await place({ sku, quantity: 6 })
    const order = { orderId: uuidv7(), customerId: uuidv7(), lines: [{ sku, quantity: 2 }], total }
    const { id } = await shop.react('reserve-stock', 'order.placed', order)
    await shop.react('reserve-stock', 'order.placed', order, id)
    await shop.react('reserve-stock', 'order.placed', order)
    const done = await complete(order.orderId)
    await complete(order.orderId, done.id)
    await cancel(order.orderId)
    expect(await summary(sku)).toEqual([
      ['sold', 2, order.orderId],
      ['reserved', 2, order.orderId],
      ['adjusted', 5, undefined],
    ])
  })

  it('adds up to the account', async () => {
    const sku = await stocked(50)
    const orders = await Promise.all(
      Array.from({ length: 12 }, (_, i) => place({ sku, quantity: 1 + (i % 3) })),
    )
    await Promise.all(orders.slice(4).map((id, i) => (i % 2 === 0 ? cancel(id) : complete(id))))
    const { items } = await history(sku, '?limit=100')
    const sum = (type: string) =>
      items
        .filter((each: { type: string }) => each.type === type)
        .reduce((n: number, { quantity }: { quantity: number }) => n + quantity, 0)
    const { body } = await shop.get(`/stock/${sku}`)
    expect(body).toMatchObject({
      received: sum('adjusted'),
      sold: sum('sold'),
      reserved: sum('reserved') - sum('released') - sum('sold'),
    })
  })

  it('is paged, and filtered by type', async () => {
    const sku = await stocked(30)
    const orders = []
    for (let i = 0; i < 4; i++) {
      orders.unshift(await place({ sku, quantity: 1 }))
      await adjust(sku, { quantity: 1, reason: 'received' })
    }
    const seen: unknown[] = []
    for (let query: string | undefined = '?limit=3'; query !== undefined;) {
      const { items, next }: { items: { id: string }[]; next?: string } = await history(sku, query)
      seen.push(...items)
      query = next && `?limit=3&cursor=${next}`
    }
    expect(seen).toEqual((await history(sku, '?limit=100')).items)
    expect(seen).toHaveLength(9)
    expect(await summary(sku, '?type=reserved')).toEqual(orders.map((id) => ['reserved', 1, id]))
    expect(await summary(sku, '?type=adjusted&limit=2')).toEqual([
      ['adjusted', 1, undefined],
      ['adjusted', 1, undefined],
    ])
  })

  it('is for the seller of the SKU and for staff only', async () => {
    const sku = await stocked(1)
    const status = async (as?: Parameters<TestShop['get']>[1]) =>
      (await shop.get(`/stock/${sku}/history`, as)).status
    expect(await status({ as: 'seller' })).toBe(200)
    expect(await status({ as: 'staff' })).toBe(200)
    expect(await status({ as: 'admin' })).toBe(200)
    expect(await status({ as: shop.newUser('seller') })).toBe(404)
    expect([await status({ as: 'customer' }), await status()]).toEqual([403, 401])
  })

  it('reads no more than a page of a long history', async () => {
    const sku = await stocked(1)
    const admin = postgres(shop.admin, { max: 1 })
    const read = await admin.begin(async (tx) => {
      await tx`insert into stock.movements (sku, id, quantity, kind, order_id)
        select case when n % 2 = 0 then ${sku} else 'OTHER' end, uuidv7(), 1, 'reserved', uuidv7()
        from generate_series(1, 20000) as n`
      await tx`analyze stock.movements`
      const reads = async () => {
        const [row] = await tx`select idx_tup_fetch + seq_tup_read as rows from pg_stat_xact_user_tables
          where relid = 'stock.movements'::regclass`
        return Number(row!['rows'])
      }
      const before = await reads()
      const client = tx as unknown as Db['client']
      const found = await readMovements({ client } as Db, sku, {
        type: undefined,
        before: undefined,
        limit: 21,
      })
      expect(found).toHaveLength(21)
      return (await reads()) - before
    })
    await admin.end()
    expect(read).toBe(21)
  })
})

it('the history of the orders before is made from their reservations', async () => {
  const sku = await stocked(9)
  const [open, sold, released] = [
    await place({ sku, quantity: 1 }),
    await place({ sku, quantity: 2 }),
    await place({ sku, quantity: 3 }),
  ]
  await complete(sold)
  await cancel(released)
  const before = await summary(sku)
  await shop.deps('stock').db.delete(movements).where(eq(movements.sku, sku))
  const sql = readFileSync(join(import.meta.dirname, 'migrations/0005_stock-history.sql'), 'utf8')
  const admin = postgres(shop.admin, { max: 1 })
  await admin`truncate stock.movements`
  await admin.unsafe(sql.split('--> statement-breakpoint')[1]!)
  await admin.end()
  expect(await summary(sku)).toEqual(before)
  expect(before).toContainEqual(['reserved', 1, open])
})
