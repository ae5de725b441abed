import { setTimeout as pause } from 'node:timers/promises'
import pLimit from 'p-limit'
import type postgres from 'postgres'
import { UserError } from '../../functions/shared/process/user-error.ts'
import { hashPassword } from '../../functions/users/password.ts'
import { good } from '../client/good.ts'
import { newOrder } from '../client/orders.ts'
import type { Person } from '../client/shop.ts'
import { copyHistory, copyShoppers, isThere } from './copy-shop.ts'
import {
  emailOf,
  pastOrders,
  productOf,
  shoppersOf,
  skuOf,
  stockOf,
  yearMs,
  type Shopper,
  type Sizes,
} from './dataset.ts'
import { sendLines } from './lines.ts'
import type { Progress } from './progress.ts'

/** How many orders are placed at once. */
const atOnce = 4
/** If no event is handled for this long, in ms, nobody waits for the others. */
const stalledMs = 30_000

export interface Filling {
  /** PostgreSQL, as a role that may write the tables of every domain. */
  sql: postgres.Sql
  /** The shop's address, without a path. */
  url: string
  seller: Person
  staff: Person
  sizes: Sizes
  /** The password of the shoppers. */
  password: string
  progress: Progress
}

/**
 * Fills a shop: products and their stock through the API, and the orders of the last one, too. The shoppers, and a year of
 * orders that have ended, are copied into the tables of each domain, as its functions would have left them. What is there
 * already is not added again, so an interrupted run can be repeated.
 * @returns false if everything was there
 */
export async function fillShop(filling: Filling): Promise<boolean> {
  const { sql, sizes } = filling
  const end = (await endOf(sql)) ?? new Date()
  const shoppers = shoppersOf(sizes, end)
  const newest = newestOf(sizes, shoppers, end)
  if (await isFull(filling, newest)) return false
  await addShoppers(filling, shoppers)
  await addProducts(filling)
  await addStock(filling)
  const step = filling.progress.step('Orders of the past year', sizes.orders - sizes.fresh)
  await copyHistory(
    sql,
    { sizes, shoppers, end, seller: filling.seller.user, staff: filling.staff.user },
    (count) => step.to(count),
  )
  step.end()
  await placeOrders(filling, shoppers, newest)
  filling.progress.step('Statistics for the planner', 0).end()
  await sql.unsafe('vacuum (analyze)')
  await settled(filling)
  return true
}

/** Returns the time of the first run, which the first shopper's tells; undefined if this is the first run. */
async function endOf(sql: postgres.Sql): Promise<Date | undefined> {
  const [first] = await sql<
    { at: Date }[]
  >`select created_at as at from users.users where email = ${emailOf(0)}`
  // see shoppersOf
  return first && new Date(first.at.getTime() + yearMs + 86_400_000)
}

function newestOf(sizes: Sizes, shoppers: readonly Shopper[], end: Date): string {
  let last = ''
  for (const { id } of pastOrders(sizes, shoppers, end)) last = id
  return last
}

/** Returns how many of the orders that are placed last are there. */
async function countFresh({ sql }: Filling, newest: string): Promise<number> {
  const [{ count }] = await sql<[{ count: number }]>`
    select count(*)::int as count from orders.orders
    where id > ${newest} and customer_id in (select id from users.users where email like 'shopper-%@example.com')`
  return count
}

const isFull = async (filling: Filling, newest: string) =>
  (await isThere(filling.sql, newest)) && (await countFresh(filling, newest)) >= filling.sizes.fresh

async function addShoppers(
  { sql, password, progress }: Filling,
  shoppers: readonly Shopper[],
): Promise<void> {
  const step = progress.step('Users', shoppers.length)
  const [found] = await sql`select from users.users where id = ${shoppers[0]!.id}`
  if (found === undefined) {
    // one hash for all of them, because each takes a tenth of a second
    await copyShoppers(sql, shoppers, await hashPassword(password.normalize('NFKC')))
  }
  step.to(shoppers.length)
  step.end()
}

async function addProducts({ url, seller, sizes, progress }: Filling): Promise<void> {
  const step = progress.step('Products, by import', sizes.products)
  await sendLines({ url, who: seller }, '/products/import', numbers(sizes.products, productOf), (count) =>
    step.to(count),
  )
  step.end()
}

/** Receives stock of the products of which nothing was received yet. */
async function addStock({ sql, url, seller, sizes, progress }: Filling): Promise<void> {
  const filled = await sql<
    { sku: string }[]
  >`select sku from stock.items where received > 0 and sku like 'LARGE-%'`
  const known = new Set(filled.map(({ sku }) => sku))
  const missing = Array.from({ length: sizes.products }, (_, n) => n).filter((n) => !known.has(skuOf(n)))
  const step = progress.step('Stock, by adjustments', missing.length)
  const lines = missing.map((n) => ({ sku: skuOf(n), quantity: stockOf(n), reason: 'received' }))
  if (lines.length > 0)
    await sendLines({ url, who: seller }, '/stock/adjustments', lines, (count) => step.to(count))
  step.end()
}

/** Yields a value for each number from 0 up to, but not including, `count`. */
export function* numbers<T>(count: number, of: (n: number) => T): Generator<T> {
  for (let n = 0; n < count; n++) yield of(n)
}

/** Places the last orders as staff do for customers, so that some are under way. */
async function placeOrders(filling: Filling, shoppers: readonly Shopper[], newest: string): Promise<void> {
  const { staff, sizes, progress } = filling
  const placed = await countFresh(filling, newest)
  const step = progress.step('Orders of today, by request', sizes.fresh)
  const limit = pLimit(atOnce)
  let done = placed
  const place = async (n: number) => {
    const { id, address } = shoppers[(n * 7) % shoppers.length]!
    const order = newOrder([{ sku: skuOf((n * 13) % sizes.products), quantity: 1 }])
    await good(staff.POST('/orders', { body: { ...order, deliveryAddress: address, customerId: id } }))
    step.to(++done)
  }
  const missing = Array.from({ length: Math.max(0, sizes.fresh - placed) }, (_, i) => placed + i)
  await Promise.all(missing.map((n) => limit(() => place(n))))
  step.end()
}

/** Waits until the events of the products, of their stock and of the last orders are handled. */
async function settled({ sql, progress }: Filling): Promise<void> {
  const waiting = async () => {
    const [{ count }] = await sql<[{ count: number }]>`
      select count(*)::int as count from events.outbox where settled_at is null and due <= now()`
    return count
  }
  let most = await waiting()
  let left = most
  const step = progress.step('Events, as the shop handles them', most)
  let movedAt = performance.now()
  while (left > 0 && performance.now() - movedAt < stalledMs) {
    await pause(500)
    const now = await waiting()
    if (now !== left) movedAt = performance.now()
    left = now
    most = Math.max(most, left)
    step.to(most - left)
  }
  step.end()
  if (left > 0)
    throw new UserError(
      `The data is there, but ${left} events are not handled yet. See npm run dead-letters, and the shop’s log.`,
    )
}
