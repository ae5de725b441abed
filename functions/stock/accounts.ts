import { asc, eq, sql } from 'drizzle-orm'
import { isAmong, prepared, type Db, type Tx } from '../shared/store/postgres.ts'
import type { ProductReader } from '../shared/http/product-reader.ts'
import { Problem } from '../shared/http/problems.ts'
import { items, type Account, type ItemRow, type Line } from './stock.ts'

const bySku = prepared((db) =>
  db
    .select()
    .from(items)
    .where(eq(items.sku, sql.placeholder('sku')))
    .prepare('stock-by-sku'),
)

/**
 * Reads the stock account of a SKU. It opens the account if the product's `product.created` has not arrived
 * yet.
 * @throws Problem 404 if the shop has no such SKU
 */
export async function findAccount(db: Db, products: ProductReader, sku: string): Promise<ItemRow> {
  const [known] = await bySku(db).execute({ sku })
  if (known !== undefined) return known
  const product = await products(sku)
  if (product === undefined) throw noStock()
  await openAccount(db, sku, product.sellerId)
  const [opened] = await bySku(db).execute({ sku })
  return opened!
}

export const noStock = () => new Problem('not-found', { detail: 'The shop has no such SKU.' })

/** Opens an empty account for a SKU. Does nothing if there is one. */
export async function openAccount(db: Db | Tx, sku: string, sellerId: string): Promise<void> {
  await db.insert(items).values({ sku, sellerId }).onConflictDoNothing()
}

/**
 * Reads accounts and locks them until the transaction ends. It locks them in the order of their SKUs, so that
 * transactions do not deadlock. The statement is prepared, because an unprepared one takes another round
 * trip.
 */
export const lockAccounts = (tx: Tx, lines: readonly Pick<Line, 'sku'>[]): Promise<ItemRow[]> =>
  tx
    .select()
    .from(items)
    .where(
      isAmong(
        items.sku,
        lines.map(({ sku }) => sku),
      ),
    )
    .orderBy(asc(items.sku))
    .for('update')
    .prepare('lock-accounts')
    .execute()

/** Writes accounts that the transaction has locked, in one statement. */
export async function saveAccounts(tx: Tx, accounts: readonly Account[]): Promise<void> {
  if (accounts.length > 0)
    await tx.client`
      update stock.items as item
      set available = new.available, reserved = new.reserved, sold = new.sold, received = new.received,
        version = item.version + 1, updated_at = now()
      from jsonb_to_recordset(${JSON.stringify(accounts)}::jsonb)
        as new (sku text, available bigint, reserved bigint, sold bigint, received bigint)
      where item.sku = new.sku`
}
