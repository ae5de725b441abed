import { and, eq, ne } from 'drizzle-orm'
import { isStaff, type User } from '../shared/auth/access-token.ts'
import { Problem } from '../shared/http/problems.ts'
import type { Db, Tx } from '../shared/store/postgres.ts'
import { problems } from './problems.ts'
import { next, purchases, returns, type PurchaseRow, type ReturnEvent, type ReturnRow } from './return.ts'

/**
 * Reads a return that the user may see: customers see their own, staff see all.
 * @throws Problem 404 if there is no such return, or the user may not see it
 */
export async function readReturn(db: Db, id: string, user: User): Promise<ReturnRow> {
  const [row] = await db.select().from(returns).where(eq(returns.id, id))
  if (row === undefined || (row.customerId !== user.id && !isStaff(user))) throw noReturn()
  return row
}

const noReturn = () => new Problem('not-found', { detail: 'There is no return with this id.' })

/**
 * Locks a purchase until the transaction ends. Whoever changes its returns locks it first, so that no piece is counted
 * twice.
 */
export async function lockPurchase(tx: Tx, orderId: string): Promise<PurchaseRow | undefined> {
  const [row] = await tx.select().from(purchases).where(eq(purchases.orderId, orderId)).for('update')
  return row
}

/** Returns the returns of a locked purchase. @param but the id of one to leave out */
export const returnsOf = (tx: Tx, orderId: string, but?: string): Promise<ReturnRow[]> =>
  tx
    .select()
    .from(returns)
    .where(and(eq(returns.orderId, orderId), but === undefined ? undefined : ne(returns.id, but)))

/** Locks a return with its purchase. @throws Problem 404 if there is no such return */
export async function lockReturn(tx: Tx, id: string): Promise<{ row: ReturnRow; purchase: PurchaseRow }> {
  const [found] = await tx.select({ orderId: returns.orderId }).from(returns).where(eq(returns.id, id))
  if (found === undefined) throw noReturn()
  const purchase = await lockPurchase(tx, found.orderId)
  const [row] = await tx.select().from(returns).where(eq(returns.id, id))
  // neither is ever deleted
  return { row: row!, purchase: purchase! }
}

/** Returns the status of a return after an event. @throws Problem 409 if its status does not allow the event */
export function statusAfter({ status }: ReturnRow, event: ReturnEvent) {
  const to = next(status, event)
  if (to !== undefined) return to
  throw new Problem(problems['wrong-return-status'], {
    detail:
      event === 'receive'
        ? `The return is ${status}: only what is approved can be received.`
        : `The return is ${status}: it can no longer be ${event === 'approve' ? 'approved' : 'refused'}.`,
  })
}

/** Changes a locked return. */
export async function writeReturn(tx: Tx, row: ReturnRow, change: Partial<ReturnRow>): Promise<ReturnRow> {
  const changed = { ...row, ...change, version: row.version + 1 }
  await tx.update(returns).set(changed).where(eq(returns.id, row.id))
  return changed
}

/** What the events of a return have in common. */
export const told = ({ id, orderId, customerId }: Pick<ReturnRow, 'id' | 'orderId' | 'customerId'>) => ({
  returnId: id,
  orderId,
  customerId,
})
