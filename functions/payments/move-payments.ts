import { eq, sql } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { claimedCustomers, payments } from './payment.ts'

/**
 * Moves the payments of a customer to the account with which they have claimed their record. A payment that is opened
 * later for the record belongs to the account at once (store.ts).
 */
export const movePayments = reaction('move-payments', async ({ data: { customerId, userId } }, { once }) => {
  await once(async (tx) => {
    // Waits for payments that are being opened, and lets none be opened that does not see the claim. Claims are rare.
    await tx.execute(sql`lock table ${payments} in share row exclusive mode`)
    await tx.insert(claimedCustomers).values({ id: customerId, userId }).onConflictDoNothing()
    await tx
      .update(payments)
      .set({ customerId: userId, version: sql`${payments.version} + 1`, updatedAt: sql`now()` })
      .where(eq(payments.customerId, customerId))
  })
})
