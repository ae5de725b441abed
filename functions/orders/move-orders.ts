import { sql } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { moveOrders as move } from './move.ts'
import { claimedCustomers } from './order.ts'

/**
 * Moves the orders that staff have placed for a customer to the account with which the customer has claimed their
 * record. An order that is being placed meanwhile is moved by create-order.
 */
export const moveOrders = reaction('move-orders', async ({ data: { customerId, userId } }, { once }) => {
  await once(async (tx) => {
    // waits for orders that are being placed (migrations/0007_unpaid-pieces.sql)
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${customerId}, 0))`)
    await tx.insert(claimedCustomers).values({ id: customerId, userId }).onConflictDoNothing()
    await move(tx, customerId, userId)
  })
})
