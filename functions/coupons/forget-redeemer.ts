import { and, eq, isNotNull } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { forgetAnswers } from '../shared/store/forget-answers.ts'
import { idempotencyKeys, redemptions } from './coupon.ts'

/** Forgets what a deleted user has sent. Which orders have which coupons stays, for their limits. */
export const forgetRedeemer = reaction('forget-redeemer', async ({ data: { userId } }, { once }) => {
  await once(async (tx) => {
    await forgetAnswers(tx, idempotencyKeys, userId)
    await tx
      .update(redemptions)
      .set({ request: null })
      .where(and(eq(redemptions.userId, userId), isNotNull(redemptions.request)))
  })
})
