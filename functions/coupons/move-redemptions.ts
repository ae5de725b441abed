import { eq } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { redemptions } from './coupon.ts'
import { lockRedeemer } from './store.ts'

/**
 * Moves what staff have redeemed for a customer to the account with which the customer has claimed their record, where it
 * counts against the limits of the account.
 */
export const moveRedemptions = reaction(
  'move-redemptions',
  async ({ data: { customerId, userId } }, { once }) => {
    await once(async (tx) => {
      // waits for redemptions that are under way
      await lockRedeemer(tx, customerId)
      await tx.update(redemptions).set({ userId }).where(eq(redemptions.userId, customerId))
    })
  },
)
