import { asc, eq, sql } from 'drizzle-orm'
import type { EmitOptions } from '../../events/emit.ts'
import { isAmong, prepared, type Db, type Tx } from '../shared/store/postgres.ts'
import type { ProductReader } from '../shared/http/product-reader.ts'
import { Problem } from '../shared/http/problems.ts'
import { crossing } from './availability.ts'
import { items, type ItemRow, type Line } from './stock.ts'

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
  await openAccounts(db, [{ sku, sellerId: product.sellerId }])
  const [opened] = await bySku(db).execute({ sku })
  return opened!
}

export const noStock = () => new Problem('not-found', { detail: 'The shop has no such SKU.' })

/** Opens an empty account for each SKU that has none. */
export async function openAccounts(
  db: Db | Tx,
  accounts: readonly Pick<ItemRow, 'sku' | 'sellerId'>[],
): Promise<void> {
  await db.client`
    insert into stock.items (sku, seller_id)
    select sku, "sellerId"
    from jsonb_to_recordset(${JSON.stringify(accounts)}::jsonb) as new (sku text, "sellerId" uuid)
    on conflict do nothing`
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

/**
 * Writes accounts that the transaction has locked, in one statement. If a SKU's availability has changed, it announces
 * that with the other events that are emitted in the same tick, so that no statement is added.
 * @param lowAt the threshold of SKUs that have none of their own
 * @param causeOf returns the event that has changed a SKU, if the transaction handles several
 */
export async function saveAccounts(
  tx: Tx,
  accounts: readonly ItemRow[],
  lowAt: number,
  causeOf: (sku: string) => EmitOptions = () => ({}),
): Promise<void> {
  const announcements: Promise<void>[] = []
  const saved = accounts.map((account) => {
    const { sku, available, version } = account
    const threshold = account.threshold ?? lowAt
    const { availability, isChanged, isLow } = crossing(account.availability, available, threshold)
    if (isChanged) {
      const data = { sku, availability, version: version + 1 }
      announcements.push(tx.emit('stock.availability-changed', sku, data, causeOf(sku)))
    }
    if (isLow) announcements.push(tx.emit('stock.low', sku, { sku, available, threshold }, causeOf(sku)))
    return { ...account, availability }
  })
  await Promise.all([writeAccounts(tx, saved), ...announcements])
}

/** Writes accounts that the transaction has locked, and of which as much is available as before. */
export async function writeAccounts(tx: Tx, accounts: readonly ItemRow[]): Promise<void> {
  if (accounts.length > 0)
    await tx.client`
      update stock.items as item
      set available = new.available, reserved = new.reserved, sold = new.sold, received = new.received,
        threshold = new.threshold, availability = new.availability, version = item.version + 1, updated_at = now()
      from jsonb_to_recordset(${JSON.stringify(accounts)}::jsonb)
        as new (sku text, available bigint, reserved bigint, sold bigint, received bigint, threshold integer,
          availability text)
      where item.sku = new.sku`
}
