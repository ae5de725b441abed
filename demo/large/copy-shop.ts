import type { PgTable } from 'drizzle-orm/pg-core'
import type postgres from 'postgres'
import { addresses, customers } from '../../functions/customers/customer.ts'
import {
  contacts,
  notifications,
  orders as notifiedOrders,
} from '../../functions/notifications/notification.ts'
import { orders, timeline } from '../../functions/orders/order.ts'
import type { ShippingMethodRow, TaxRate } from '../../functions/orders/tariff.ts'
import { payments, refunds } from '../../functions/payments/payment.ts'
import { adjustments, movements, reservations } from '../../functions/stock/stock.ts'
import { users } from '../../functions/users/user.ts'
import { copyRows } from './copy.ts'
import {
  idOf,
  isSold,
  pastOrders,
  skuOf,
  yearMs,
  type PastOrder,
  type Shopper,
  type Sizes,
} from './dataset.ts'
import { rowsOf, type Rows } from './history.ts'

/** How many orders one transaction writes: what is in memory at once. */
const batch = 1_000
const tables = {
  orders,
  timeline,
  reservations,
  movements,
  payments,
  refunds,
  notifiedOrders,
  notifications,
} satisfies Record<keyof Rows, PgTable>

/** Copies users with their profiles, addresses and contacts. All have the same password. */
export async function copyShoppers(
  sql: postgres.Sql,
  shoppers: readonly Shopper[],
  passwordHash: string,
): Promise<void> {
  await sql.begin(async (tx) => {
    const times = ({ at }: Shopper) => ({ createdAt: at, updatedAt: at })
    await copyRows(
      tx,
      users,
      shoppers.map((one) => ({
        id: one.id,
        email: one.email,
        name: one.name,
        role: 'customer' as const,
        passwordHash,
        emailVerifiedAt: one.at,
        ...times(one),
      })),
    )
    await copyRows(
      tx,
      customers,
      shoppers.map((one) => ({ id: one.id, hasAccount: true, name: one.name, ...times(one) })),
    )
    await copyRows(
      tx,
      addresses,
      shoppers.map((one) => ({
        id: idOf(one.at, `address ${one.n}`),
        customerId: one.id,
        isDefault: true,
        label: 'home',
        address: one.address,
        ...times(one),
      })),
    )
    await copyRows(
      tx,
      contacts,
      shoppers.map(({ id, email, name }) => ({ userId: id, email, name })),
    )
  })
}

/** What a history is about. */
export interface Story {
  sizes: Sizes
  shoppers: readonly Shopper[]
  /** See `shoppersOf`. */
  end: Date
  /** Who has received the stock, and who has shipped the orders. */
  seller: { id: string }
  staff: { id: string }
}

/** Returns whether an order is there. */
export const isThere = async (sql: postgres.Sql, orderId: string) =>
  (await sql`select from orders.orders where id = ${orderId}`).length > 0

/** Copies the orders of the past, a batch in each transaction, and goes on after those that are there. */
export async function copyHistory(
  sql: postgres.Sql,
  story: Story,
  done: (orders: number) => void = () => {},
): Promise<void> {
  const { sizes, shoppers, end, staff } = story
  await receiveForHistory(sql, story)
  const terms = await readTerms(sql)
  const places = new Map<string, number>()
  const nextPlace = (id: string) => () => {
    const place = (places.get(id) ?? 0) + 1
    places.set(id, place)
    return place
  }
  for (const some of inBatches(pastOrders(sizes, shoppers, end))) {
    const rows = some.map((order) => rowsOf(order, terms, staff, nextPlace(order.shopper.id)))
    if (!(await isThere(sql, some.at(-1)!.id))) await writeBatch(sql, some, rows, places)
    done(some.at(-1)!.n + 1)
  }
}

function* inBatches(all: Iterable<PastOrder>): Generator<PastOrder[]> {
  let some: PastOrder[] = []
  for (const order of all) {
    some.push(order)
    if (some.length < batch) continue
    yield some
    some = []
  }
  if (some.length > 0) yield some
}

async function writeBatch(
  sql: postgres.Sql,
  some: readonly PastOrder[],
  rows: readonly Rows[],
  places: ReadonlyMap<string, number>,
): Promise<void> {
  const told = [...new Set(some.map(({ shopper }) => shopper.id))]
  const notified = told.map((id) => ({ id, count: places.get(id) ?? 0 }))
  await sql.begin(async (tx) => {
    for (const name of Object.keys(tables) as (keyof typeof tables)[])
      await copyRows<PgTable>(
        tx,
        tables[name],
        rows.flatMap((one): object[] => one[name]),
      )
    await tx`
      update stock.items as item
      set available = available - quantity, sold = sold + quantity, version = version + 1
      from jsonb_to_recordset(${JSON.stringify([...soldIn(some)].map(([sku, quantity]) => ({ sku, quantity })))}::text::jsonb)
        as bought (sku text, quantity integer)
      where item.sku = bought.sku`
    await tx`
      update notifications.contacts as contact set notified = count
      from jsonb_to_recordset(${JSON.stringify(notified)}::text::jsonb) as told (id uuid, count integer)
      where contact.user_id = told.id`
  })
}

/** Returns how many pieces of each SKU orders have bought. */
function soldIn(some: Iterable<PastOrder>): Map<string, number> {
  const sold = new Map<string, number>()
  for (const { ending, lines } of some)
    if (isSold(ending))
      for (const { product, quantity } of lines)
        sold.set(skuOf(product), (sold.get(skuOf(product)) ?? 0) + quantity)
  return sold
}

/** Receives, a year ago, what the orders of the past have bought. */
async function receiveForHistory(sql: postgres.Sql, { sizes, shoppers, end, seller }: Story) {
  const at = new Date(end.getTime() - yearMs - 3_600_000)
  const sold = soldIn(pastOrders(sizes, shoppers, end))
  const rows = [...sold].map(([sku, quantity]) => ({
    id: idOf(at, `received ${sku}`),
    sku,
    quantity,
    reason: 'received' as const,
    note: 'The stock to begin with',
    userId: seller.id,
    at,
  }))
  const [first] = rows
  if (first === undefined) return
  await sql.begin(async (tx) => {
    const [found] = await tx`select from stock.adjustments where id = ${first.id}`
    if (found !== undefined) return
    await copyRows(tx, adjustments, rows)
    await tx`
      update stock.items as item
      set available = available + quantity, received = received + quantity, version = version + 1
      from stock.adjustments as received
      where item.sku = received.sku and received.at = ${at} and received.sku like 'LARGE-%'`
  })
}

async function readTerms(sql: postgres.Sql) {
  const [rates, shippingMethods] = await Promise.all([
    sql<TaxRate[]>`
      select country, tax_class as "taxClass", rate, valid_from::text as "validFrom" from orders.tax_rates`,
    sql<ShippingMethodRow[]>`
      select id, name, basis, currency, steps, is_default as "isDefault" from orders.shipping_methods`,
  ])
  return { rates, shippingMethods, prices: 'gross' as const }
}
