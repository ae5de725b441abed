import { desc, eq, sql } from 'drizzle-orm'
import { unionAll } from 'drizzle-orm/pg-core'
import { stateEventsOf } from '../../events/state-events.ts'
import type { ProductReader } from '../shared/http/product-reader.ts'
import { prepared, type Db } from '../shared/store/postgres.ts'
import type { TaxClass } from '../shared/schemas/tax-class.ts'
import { products } from './order.ts'
import type { Price } from './pricing.ts'

const state = stateEventsOf('orders')

/** The SKUs, as an array of PostgreSQL. */
const given = sql`${sql.placeholder('skus')}::text[]`

/** The newest state of a product that its events report, as fields of the projection. */
const newest = (db: Db) =>
  db
    .select({
      sku: state.subject,
      name: sql<string>`${state.data} ->> 'name'`.as('name'),
      priceAmount: sql<number>`(${state.data} #>> '{price,amount}')::integer`.as('price_amount'),
      currency: sql<string>`${state.data} #>> '{price,currency}'`.as('currency'),
      // events of earlier versions have neither
      weightGrams: sql<number>`coalesce((${state.data} ->> 'weightGrams')::integer, 0)`.as('weight_grams'),
      taxClass: sql<TaxClass>`coalesce(${state.data} ->> 'taxClass', 'standard')`.as('tax_class'),
      version: state.version,
      isDeleted: sql<boolean>`${state.type} = 'product.deleted'`.as('is_deleted'),
    })
    .from(state)
    .where(eq(state.subject, sql`wanted.sku`))
    .orderBy(desc(state.version))
    .limit(1)
    .as('newest')

/**
 * The products in the projection, and the newest states that their events report. A product may be in both:
 * the projection lags behind the events, and events are deleted after a week.
 */
const known = prepared((db) => {
  const reported = newest(db)
  return unionAll(
    db
      .select({
        sku: products.sku,
        name: products.name,
        priceAmount: products.priceAmount,
        currency: products.currency,
        weightGrams: products.weightGrams,
        taxClass: products.taxClass,
        version: products.version,
        isDeleted: sql<boolean>`${products.deletedAt} is not null`,
      })
      .from(products)
      .where(sql`${products.sku} = any(${given})`),
    db
      .select({
        sku: reported.sku,
        name: reported.name,
        priceAmount: reported.priceAmount,
        currency: reported.currency,
        weightGrams: reported.weightGrams,
        taxClass: reported.taxClass,
        version: reported.version,
        isDeleted: reported.isDeleted,
      })
      .from(sql`unnest(${given}) as wanted (sku)`)
      .crossJoinLateral(reported),
  ).prepare('prices_by_sku')
})

type Known = Price & { version: number; isDeleted: boolean }

/**
 * Returns the prices of SKUs, which are not older than the answer to the last change of each product. A SKU
 * that is not known here yet is read from the products domain. A SKU that does not exist or was deleted is
 * missing from the result.
 */
export async function pricesOf(
  db: Db,
  readProduct: ProductReader,
  skus: string[],
): Promise<Map<string, Price>> {
  const found = new Map<string, Known>()
  const each = [...new Set(skus)]
  for (const row of await known(db).execute({ skus: `{${each.map((sku) => `"${sku}"`).join()}}` }))
    if (row.version > (found.get(row.sku)?.version ?? 0)) found.set(row.sku, row)
  const prices = new Map<string, Price>([...found].filter(([, { isDeleted }]) => !isDeleted))
  for (const sku of each.filter((sku) => !found.has(sku))) {
    const product = await readProduct(sku)
    // the order is rejected because of this SKU, so the rest need not be read
    if (product === undefined) break
    const { productId, name, price, weightGrams, taxClass, version } = product
    const money = { priceAmount: price.amount, currency: price.currency }
    const row = { sku, productId, name, ...money, weightGrams, taxClass, version }
    await db.insert(products).values(row).onConflictDoNothing()
    prices.set(sku, row)
  }
  return prices
}
