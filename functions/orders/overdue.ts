import { lt, sql } from 'drizzle-orm'
import { transaction } from '../shared/store/transaction.ts'
import type { Db } from '../shared/store/postgres.ts'
import { orders } from './order.ts'
import { cancel } from './store.ts'

/** How many overdue orders one turn drives on. */
const batch = 50

/**
 * Cancels orders whose deadline has passed, which gives back what they hold; answers how many. Lost events are
 * published again long before (see the relay): this is for what cannot be done at all.
 */
export async function driveOverdue(db: Db): Promise<number> {
  return transaction(db, async (tx) => {
    const overdue = await tx
      .select()
      .from(orders)
      .where(lt(orders.deadline, sql`now()`))
      .orderBy(orders.deadline)
      .limit(batch)
      .for('update', { skipLocked: true })
    // sent all at once: while they are locked, whoever confirms one of them has to wait
    await Promise.all(
      overdue.map((row) =>
        cancel(tx, row, 'expire', row.status === 'confirmed' ? 'not shipped in time' : 'took too long'),
      ),
    )
    return overdue.length
  })
}
