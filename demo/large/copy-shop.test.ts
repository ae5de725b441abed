import postgres from 'postgres'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findInBooks } from '../../functions/books/check-books.ts'
import type { User } from '../../functions/shared/auth/access-token.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { copyHistory, copyShoppers, type Story } from './copy-shop.ts'
import { pastOrders, shoppersOf, skuOf, type Sizes } from './dataset.ts'

const sizes: Sizes = { products: 40, users: 30, orders: 2_300, fresh: 0 }
const end = new Date()
const shoppers = shoppersOf(sizes, end)

let shop: TestShop
let sql: postgres.Sql
let story: Story
beforeAll(async () => {
  shop = await openShop(['users', 'customers', 'orders', 'payments', 'stock', 'notifications'])
  sql = postgres(shop.admin, { max: 1, onnotice: () => {} })
  story = { sizes, shoppers, end, seller: shop.users.seller, staff: shop.users.staff }
  await copyShoppers(sql, shoppers, 'no hash')
  await sql`
    insert into stock.items (sku, seller_id, available, received)
    select 'LARGE-' || lpad(n::text, 5, '0'), ${shop.users.seller.id}, 10, 10
    from generate_series(1, ${sizes.products}) as n`
  await copyHistory(sql, story)
}, 120_000)
afterAll(async () => {
  await sql.end()
  await shop.close()
})

const countOf = async (table: string) =>
  (await sql.unsafe<[{ count: number }]>(`select count(*)::int as count from ${table}`))[0].count

it('adds every order once, however often it is repeated', async () => {
  const tables = ['orders.orders', 'orders.timeline', 'stock.movements', 'notifications.notifications']
  const before = await Promise.all(tables.map(countOf))
  expect(before[0]).toBe(2_300)
  await copyHistory(sql, story)
  expect(await Promise.all(tables.map(countOf))).toEqual(before)
}, 120_000)

it('goes on where it was interrupted', async () => {
  const last = [...pastOrders(sizes, shoppers, end)].slice(2_000).map(({ id }) => id)
  const places = await sql`select user_id, notified from notifications.contacts order by user_id`
  // the last batch is missing
  await sql`delete from orders.orders where id = any(${last})`
  await sql`delete from orders.timeline where order_id = any(${last})`
  await sql`delete from payments.refunds where payment_id in (select id from payments.payments where order_id = any(${last}))`
  await sql`delete from payments.payments where order_id = any(${last})`
  await sql`delete from stock.reservations where order_id = any(${last})`
  await sql`
    with undone as (
      select sku, sum(quantity)::int as quantity from stock.movements
      where order_id = any(${last}) and kind = 'sold' group by sku)
    update stock.items as item set available = available + quantity, sold = sold - quantity
    from undone where item.sku = undone.sku`
  await sql`delete from stock.movements where order_id = any(${last})`
  await sql`delete from notifications.notifications where order_id = any(${last})`
  await sql`delete from notifications.orders where id = any(${last})`
  await copyHistory(sql, story)
  expect(await countOf('orders.orders')).toBe(2_300)
  expect(await sql`select user_id, notified from notifications.contacts order by user_id`).toEqual(places)
}, 120_000)

it('leaves the books right, and the stock as the history tells', async () => {
  for (const { check, rows } of await findInBooks(sql)) expect([check, rows]).toEqual([check, 0])
  const wrong = await sql`
    select sku from stock.items as item
    where sold <> (select coalesce(sum(quantity), 0) from stock.movements where sku = item.sku and kind = 'sold')
      or received <> 10 + (select coalesce(sum(quantity), 0) from stock.adjustments where sku = item.sku)
      or reserved <> 0 or available <> 10`
  expect(wrong).toEqual([])
})

it('is read by every operation that shows it', async () => {
  const [first] = shoppers
  const as: User = { ...shop.users.customer, id: first!.id }
  const { body } = await shop.get('/orders?limit=5', { as })
  expect(body.items).toHaveLength(5)
  for (const order of body.items) {
    expect((await shop.get(`/orders/${order.id}/timeline`, { as })).body.items.at(-1).status).toBe(
      order.status,
    )
    const { items } = (await shop.get(`/payments?orderId=${order.id}`, { as })).body
    expect(items.every(({ amount }: { amount: object }) => amount !== null)).toBe(true)
  }
  expect((await shop.get('/notifications?limit=3', { as })).body.items).toHaveLength(3)
  expect((await shop.get(`/customers/${first!.id}/addresses`, { as })).body.items).toHaveLength(1)
  expect((await shop.get(`/stock/${skuOf(0)}/history`, { as: 'staff' })).body.items).toHaveLength(20)
})
