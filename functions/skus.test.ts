import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { knowProducts, newOrder, place } from '../test/orders.ts'
import { openShop, type TestShop } from '../test/shop.ts'
import { orders, products } from './orders/order.ts'
import { inUpperCase } from './products/migrations/skus.ts'
import { newProduct } from './products/product.ts'
import { transaction } from './shared/store/transaction.ts'
import { adjustments, items, reservations } from './stock/stock.ts'

/** SKUs as earlier versions stored them, and their names after the migration. */
const names: Record<string, string> = {
  mug: 'MUG--3',
  Mug: 'MUG--2',
  MUG: 'MUG',
  'cup-Blue': 'CUP-BLUE',
  POT: 'POT',
}
const old = Object.keys(names)
const renamed = Object.values(names)

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['orders', 'products', 'stock'])
})
afterAll(() => shop.close())

/** Runs a migration again, on data of an earlier version. */
async function migrateAgain(domain: 'orders' | 'stock', tag: string) {
  const sql = readFileSync(join(import.meta.dirname, domain, 'migrations', `${tag}.sql`), 'utf8')
  await transaction(shop.deps(domain).db, async (tx) => {
    for (const statement of sql.split('--> statement-breakpoint')) await tx.execute(statement)
  })
}

describe('SKUs of an earlier version are rewritten in upper case, and stay distinct', () => {
  it('in the catalogue', async () => {
    const { products } = shop.deps('products')
    const price = { amount: 1, currency: 'EUR' }
    for (const sku of old)
      await products.insertOne(
        newProduct({ sku, name: sku, description: '', category: 'c', price, attributes: {} }, uuidv7()),
      )
    for (let run = 0; run < 2; run++) await inUpperCase(shop.deps('products').products.db)
    for (const [name, sku] of Object.entries(names))
      expect((await products.findOne({ sku }))?.name).toBe(name)
  })

  it('in the stock, its adjustments and reservations', async () => {
    const { db } = shop.deps('stock')
    const of = { sellerId: uuidv7(), available: 1, received: 1 }
    await db.insert(items).values(old.map((sku) => ({ ...of, sku })))
    const adjustment = { quantity: 1, reason: 'received' as const, userId: uuidv7() }
    await db.insert(adjustments).values(old.map((sku) => ({ ...adjustment, id: uuidv7(), sku, note: sku })))
    const lines = [...old, 'gone'].map((sku) => ({ sku, quantity: 1 }))
    await db.insert(reservations).values({ orderId: uuidv7(), state: 'reserved', lines })
    await db.insert(reservations).values({ orderId: uuidv7(), state: 'released', lines: [] })

    await migrateAgain('stock', '0001_skus_in_upper_case')
    const skus = (await db.select().from(items)).map(({ sku }) => sku)
    expect(skus.toSorted()).toEqual(renamed.toSorted())
    for (const { sku, note } of await db.select().from(adjustments)) expect(sku).toBe(names[note!])
    const held = (await db.select().from(reservations)).map((row) => row.lines.map(({ sku }) => sku))
    expect(held.toSorted((a, b) => a.length - b.length)).toEqual([[], [...renamed, 'GONE']])
  })

  it('in the prices and the lines of orders', async () => {
    const { db } = shop.deps('orders')
    await knowProducts(shop, ...old.map((sku): [string, number] => [sku, 100]), ['NEW', 100])
    const { id } = await place(shop, shop.newUser(), newOrder([{ sku: 'NEW', quantity: 1 }]))
    const lines = old.map((sku) => ({ sku, name: sku, quantity: 1, unitPrice: 100 }))
    await db.update(orders).set({ lines })

    await migrateAgain('orders', '0002_skus_in_upper_case')
    for (const { sku, name } of await db.select().from(products)) expect(sku).toBe(names[name] ?? 'NEW')
    const { body } = await shop.get(`/orders/${id}`, { as: 'staff' })
    expect(body.lines).toEqual(lines.map((line) => ({ ...line, sku: names[line.sku] })))
  })
})
