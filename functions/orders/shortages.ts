import { eq } from 'drizzle-orm'
import type { Tx } from '../shared/store/postgres.ts'
import { orders, type OrderRow } from './order.ts'
import { piecesOf, placedAmounts } from './pricing.ts'
import { withoutMissing } from './reduction.ts'
import { decideWithinMs, fillWithinMs, piecesText, type Missing, type Shortage } from './shortage.ts'
import { advance, writeOrder, type Entry } from './store.ts'

/** What is done about an order of which a part is missing. Each gets the locked order, and returns it as it is then. */

/** What led to it, and how long the order may wait for its payment then. */
interface Led {
  entries?: Entry[]
  deadlineMs: number
}

/** Leaves out what is missing. The payment is asked for only then, so that no more than the rest is ever authorised. */
export async function leaveOut(
  tx: Tx,
  row: OrderRow,
  missing: Missing[],
  { entries = [], deadlineMs }: Led,
): Promise<OrderRow> {
  const { lines, amounts } = withoutMissing(row, missing)
  const reduced = { lines, amounts, totalAmount: amounts.gross, pieces: piecesOf(lines) }
  await tx.update(orders).set(reduced).where(eq(orders.id, row.id))
  const shortage = await waitFor(tx, row, { state: 'dropped', missing }, deadlineMs)
  const data = {
    orderId: row.id,
    customerId: row.customerId,
    ...placedAmounts({ lines, amounts }),
    total: { amount: amounts.gross, currency: row.currency },
    dropped: missing,
  }
  const emits = { type: 'order.reduced', data, detail: `without ${piecesText(missing)}` } as const
  const changed = await advance(tx, { ...row, ...reduced, shortage }, 'reserve', emits, entries)
  if (changed === undefined)
    throw new Error(`order ${row.id} is ${row.status}: nothing can be left out of it`)
  return changed
}

/** Asks the customer what becomes of the order. */
export async function askCustomer(tx: Tx, row: OrderRow, missing: Missing[], entries: Entry[]) {
  const type = 'order.decision-requested'
  const shortage = await waitFor(tx, row, { state: 'undecided', missing }, decideWithinMs)
  await tx.emit(type, row.id, { orderId: row.id, missing })
  return writeOrder(tx, row, { shortage }, [...entries, { type, detail: `missing: ${piecesText(missing)}` }])
}

/** Lets the order wait until what is missing has come. */
export async function backorder(tx: Tx, row: OrderRow, missing: Missing[]): Promise<OrderRow> {
  const type = 'order.backordered'
  const shortage = await waitFor(tx, row, { state: 'backordered', missing }, fillWithinMs)
  const total = { amount: row.totalAmount, currency: row.currency }
  await tx.emit(type, row.id, { orderId: row.id, customerId: row.customerId, missing, total })
  return writeOrder(tx, row, { shortage }, [{ type, detail: `waits for ${piecesText(missing)}` }])
}

/** Gives the order more time to be confirmed. Whatever deadline comes before does nothing. */
export async function waitFor(
  tx: Tx,
  { id }: OrderRow,
  shortage: Omit<Shortage, 'until'>,
  afterMs: number,
): Promise<Shortage> {
  await tx.emit('order.deadline-reached', id, { orderId: id, milestone: 'confirmation' }, { afterMs })
  return { ...shortage, until: new Date((await timeOf(tx)).getTime() + afterMs).toISOString() }
}

/** Returns when the transaction began, by the clock by which events are published. */
export async function timeOf(tx: Tx): Promise<Date> {
  const [row] = await tx.client<{ now: string }[]>`select now() as now`
  return new Date(row!.now)
}
