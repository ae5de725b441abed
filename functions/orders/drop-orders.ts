import { and, asc, eq, inArray } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { orders, unconfirmed } from './order.ts'
import { cancel } from './store.ts'

/**
 * Cancels the orders of a deleted customer that are not confirmed yet. A confirmed order is a contract: it is
 * shipped to its address, and only staff may cancel it now.
 */
export const dropOrders = reaction('drop-orders', async ({ data, type, time, actor }, { once }) => {
  await once(async (tx) => {
    const rows = await tx
      .select()
      .from(orders)
      .where(and(eq(orders.customerId, data.userId), inArray(orders.status, unconfirmed)))
      .orderBy(asc(orders.id))
      .for('update')
    for (const row of rows)
      await cancel(tx, row, 'cancel', 'the account was deleted', [{ type, at: time, actor }])
  })
})
