import { and, asc, desc, eq, gt, isNull, lt, or, sql } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import type { User } from '../shared/auth/access-token.ts'
import { prepared, type Db, type Tx } from '../shared/store/postgres.ts'
import { customers, idempotencyKeys, maySee, noSuchCustomer, type CustomerRow } from './customer.ts'
import { removed, withDefault, type Saved } from './saved.ts'

const byId = prepared((db) =>
  db
    .select()
    .from(customers)
    .where(eq(customers.id, sql.placeholder('id')))
    .prepare('customer_by_id'),
)

/**
 * Reads a profile. That of the caller comes to be when it is first read.
 * @throws Problem 404 if there is no such customer, or the caller may not see it
 */
export async function readCustomer(db: Db, id: string, caller: User): Promise<CustomerRow> {
  if (!maySee(caller, id)) throw noSuchCustomer()
  const [row] = await byId(db).execute({ id })
  if (row !== undefined || caller.id !== id) return present(row)
  await insertOwn(db, id)
  return present((await byId(db).execute({ id }))[0])
}

/**
 * Reads a profile and locks its row until the transaction ends. Whoever changes anything of a customer does so first.
 * @throws Problem 404 if there is no such customer, or the caller may not see it
 */
export async function lockCustomer(tx: Tx, id: string, caller: User): Promise<CustomerRow> {
  if (!maySee(caller, id)) throw noSuchCustomer()
  if (caller.id === id) await insertOwn(tx, id)
  const [row] = await tx.select().from(customers).where(eq(customers.id, id)).for('update')
  return present(row)
}

const insertOwn = (db: Db | Tx, id: string) =>
  db.insert(customers).values({ id, hasAccount: true }).onConflictDoNothing()

/** The condition of the customers that there are. */
export const isPresent = and(isNull(customers.claimedBy), isNull(customers.deletedAt))

function present(row: CustomerRow | undefined): CustomerRow {
  if (row === undefined || row.claimedBy !== null || row.deletedAt !== null) throw noSuchCustomer()
  return row
}

/** Deletes the answers that are kept for retries of whoever has created something below a path. */
export async function forgetAnswersAt(tx: Tx, path: string): Promise<void> {
  const location = sql`${idempotencyKeys.headers}->>'location'`
  await tx.delete(idempotencyKeys).where(or(eq(location, path), sql`starts_with(${location}, ${`${path}/`})`))
}

/** The tables of what customers save. */
export type SavedTable = 'customers.addresses' | 'customers.payment_methods'

/** Reads what a locked customer has saved, oldest first. */
export async function savedOf(tx: Tx, table: SavedTable, customerId: string): Promise<Saved[]> {
  return tx.client<Saved[]>`
    select id, is_default as "isDefault" from ${tx.client(table)} where customer_id = ${customerId} order by id`
}

/** Writes which of the items in both lists are the default now, if that has changed. */
export async function writeDefaults(
  tx: Tx,
  table: SavedTable,
  before: readonly Saved[],
  after: readonly Saved[],
): Promise<void> {
  const were = new Map(before.map((item) => [item.id, item.isDefault]))
  // the old one first, because there is one at any time
  for (const isDefault of [false, true])
    for (const { id } of after.filter(
      (item) => item.isDefault === isDefault && were.get(item.id) === !isDefault,
    ))
      await tx.client`
        update ${tx.client(table)} set is_default = ${isDefault}, version = version + 1, updated_at = now()
        where id = ${id}`
}

/** Takes the default from the others, before an item of a locked customer becomes it. */
export async function makeDefault(tx: Tx, table: SavedTable, customerId: string, id: string): Promise<void> {
  const before = await savedOf(tx, table, customerId)
  const others = before.filter((item) => item.id !== id)
  await writeDefaults(tx, table, others, withDefault(before, id))
}

/** Deletes an item of a locked customer, and the answers that are kept for retries of whoever saved it at `path`. */
export async function removeSaved(
  tx: Tx,
  table: SavedTable,
  customerId: string,
  id: string,
  path: string,
): Promise<void> {
  const before = await savedOf(tx, table, customerId)
  await tx.client`delete from ${tx.client(table)} where id = ${id}`
  await writeDefaults(tx, table, before, removed(before, id))
  await forgetAnswersAt(tx, path)
}

/**
 * Returns the condition and the order in which a list of what a customer has saved is read.
 * @param after the id of the last item of the page before
 */
export function savedPage(
  { id, customerId }: Record<'id' | 'customerId', AnyPgColumn>,
  customer: string,
  { sort, after }: { sort: 'oldest' | 'newest'; after: string | undefined },
) {
  const [order, beyond] = sort === 'oldest' ? [asc, gt] : [desc, lt]
  return {
    where: and(eq(customerId, customer), after === undefined ? undefined : beyond(id, after)),
    orderBy: order(id),
  }
}
