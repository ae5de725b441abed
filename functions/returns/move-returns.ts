import { eq, sql } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { claimedCustomers, purchases, returns } from './return.ts'

/**
 * Moves what staff have ordered for a customer to the account with which the customer has claimed their record. An order
 * that is heard of later belongs to the account at once (keep-purchase.ts).
 */
export const moveReturns = reaction('move-returns', async ({ data: { customerId, userId } }, { once }) => {
  await once(async (tx) => {
    // Waits for orders that are being kept, and lets none be kept that does not see the claim. Claims are rare.
    await tx.execute(sql`lock table ${purchases} in share row exclusive mode`)
    await tx.insert(claimedCustomers).values({ id: customerId, userId }).onConflictDoNothing()
    await tx.update(purchases).set({ customerId: userId }).where(eq(purchases.customerId, customerId))
    await tx
      .update(returns)
      .set({ customerId: userId, version: sql`${returns.version} + 1` })
      .where(eq(returns.customerId, customerId))
  })
})
