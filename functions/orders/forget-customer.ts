import { and, asc, eq, inArray } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { forgetOrdersOf, rememberDeleted } from './forget.ts'
import { orders, unconfirmed, underWay } from './order.ts'
import { cancel } from './store.ts'

/**
 * Cancels the orders of a deleted customer that are not confirmed yet, and forgets what the others tell about the
 * person as soon as they have ended. A confirmed order is a contract: it is shipped to its address, and only staff may
 * cancel it now.
 */
export const forgetCustomer = reaction('forget-customer', async ({ data, type, time, actor }, { once }) => {
  const [customerId, reason] =
    'userId' in data
      ? [data.userId, 'the account was deleted']
      : [data.customerId, 'the customer was deleted']
  await once(async (tx) => {
    await rememberDeleted(tx, customerId)
    // waits for those that are ending just now, and may not have seen that the customer is deleted
    const rows = await tx
      .select()
      .from(orders)
      .where(and(eq(orders.customerId, customerId), inArray(orders.status, underWay)))
      .orderBy(asc(orders.id))
      .for('update')
    for (const row of rows.filter(({ status }) => unconfirmed.includes(status)))
      await cancel(tx, row, 'cancel', reason, { entries: [{ type, at: time, actor }] })
    await forgetOrdersOf(tx, customerId)
  })
})
