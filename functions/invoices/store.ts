import { and, desc, eq, gt, lt, or, sql } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { isStaff, type User } from '../shared/auth/access-token.ts'
import { Problem } from '../shared/http/problems.ts'
import { isAmong, type Db, type Tx } from '../shared/store/postgres.ts'
import { hashOf } from './chain.ts'
import {
  claimedCustomers,
  counters,
  invoices,
  nextPlace,
  numberOf,
  type InvoiceContent,
  type InvoiceRow,
  type Series,
} from './invoice.ts'

/** Whose invoices a user sees: their own, and those of a record that they have claimed. */
export const isOf = (userId: string) =>
  or(
    eq(invoices.customerId, userId),
    sql`${invoices.customerId} in (select ${claimedCustomers.id} from ${claimedCustomers} where ${claimedCustomers.userId} = ${userId})`,
  )

/**
 * Reads an invoice that the user may see: customers see their own, staff see all.
 * @throws Problem 404 if there is no such invoice, or the user may not see it
 */
export async function readInvoice(db: Db, id: string, user: User): Promise<InvoiceRow> {
  const [row] = await db
    .select()
    .from(invoices)
    .where(and(eq(invoices.id, id), isStaff(user) ? undefined : isOf(user.id)))
  if (row === undefined) throw new Problem('not-found', { detail: 'There is no invoice with this id.' })
  return row
}

/** Returns the invoices before and after one in its series, as far as there are any. */
export async function neighboursOf(db: Db, { series, year, seq }: InvoiceRow) {
  const place = sql`(${invoices.year}, ${invoices.seq})`
  const own = sql`(${year}::integer, ${seq}::integer)`
  const [[before], [after]] = await Promise.all([
    db
      .select()
      .from(invoices)
      .where(and(eq(invoices.series, series), lt(place, own)))
      .orderBy(desc(invoices.year), desc(invoices.seq))
      .limit(1)
      .execute(),
    db
      .select()
      .from(invoices)
      .where(and(eq(invoices.series, series), gt(place, own)))
      .orderBy(invoices.year, invoices.seq)
      .limit(1)
      .execute(),
  ])
  return { before, after }
}

/** Where a series ends, while it is locked. */
export interface End {
  series: Series
  last: { year: number; last: number } | undefined
  lastHash: string
  now: Date
}

/**
 * Locks a series until the transaction ends, so that its numbers are given one after the other. A transaction that is
 * rolled back gives its numbers back.
 */
export async function lockSeries(tx: Tx, series: Series): Promise<End> {
  // started first: the statements are pipelined, and the next one sees what was committed before the lock was taken
  const locked =
    tx.client`select pg_advisory_xact_lock(hashtextextended(${`invoices ${series}`}, 0))`.execute()
  const [, [last], [clock]] = await Promise.all([
    locked,
    tx
      .select()
      .from(counters)
      .where(eq(counters.series, series))
      .orderBy(desc(counters.year))
      .limit(1)
      .prepare('last_of_series')
      .execute(),
    tx.client<[{ now: string }]>`select clock_timestamp() as now`,
  ])
  return { series, last, lastHash: last?.lastHash ?? '', now: new Date(clock.now) }
}

/** An invoice that has no number yet. */
export interface Draft {
  source: string
  orderId: string
  paymentId: string
  customerId: string
  content: InvoiceContent
}

/** Issues invoices with the next numbers of a locked series, and emits that they are issued. */
export async function issue(
  tx: Tx,
  end: End,
  drafts: readonly Draft[],
  announce: (row: InvoiceRow) => Promise<void>,
): Promise<void> {
  if (drafts.length === 0) return
  const { series, now } = end
  const ends = new Map<number, typeof counters.$inferInsert>()
  let { last, lastHash } = end
  const rows = drafts.map((draft): InvoiceRow => {
    const { year, seq } = nextPlace(last, now)
    const unhashed = {
      id: uuidv7(),
      series,
      year,
      seq,
      number: numberOf(series, year, seq),
      ...draft,
      issuedAt: now,
      previousHash: lastHash,
    }
    const row = { ...unhashed, hash: hashOf(unhashed) }
    last = { year, last: seq }
    lastHash = row.hash
    ends.set(year, { series, year, last: seq, lastHash })
    return row
  })
  await Promise.all([
    tx.insert(invoices).values(rows).execute(),
    tx
      .insert(counters)
      .values([...ends.values()])
      .onConflictDoUpdate({
        target: [counters.series, counters.year],
        set: { last: sql`excluded.last`, lastHash: sql`excluded.last_hash` },
      })
      .execute(),
    ...rows.map(announce),
  ])
}

/** Returns which of the captures or refunds have their invoice already. */
export async function issuedFor(tx: Tx, series: Series, sources: readonly string[]): Promise<Set<string>> {
  const found = await tx
    .select({ source: invoices.source })
    .from(invoices)
    .where(and(eq(invoices.series, series), isAmong(invoices.source, sources)))
    .prepare('issued_for')
    .execute()
  return new Set(found.map(({ source }) => source))
}

/** What an event tells of an invoice. */
export const told = ({ id, orderId, number, content: { gross, currency } }: InvoiceRow) => ({
  orderId,
  invoiceId: id,
  number,
  amount: { amount: gross, currency },
})
