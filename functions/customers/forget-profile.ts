import { eq } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { forgetAnswers } from '../shared/store/forget-answers.ts'
import { claims, customers, idempotencyKeys, nothing } from './customer.ts'
import { forgetCustomer } from './forget.ts'

/** Forgets everything about a deleted user. Their row stays empty, so that a late request does not fill it again. */
export const forgetProfile = reaction('forget-profile', async ({ data: { userId }, time }, { once }) => {
  await once(async (tx) => {
    const gone = { ...nothing, deletedAt: time }
    // locks the row, as whoever saves something does
    await tx
      .insert(customers)
      .values({ id: userId, hasAccount: true, ...gone })
      .onConflictDoUpdate({ target: customers.id, set: gone })
    await forgetCustomer(tx, userId)
    await tx.delete(claims).where(eq(claims.usedBy, userId))
    await forgetAnswers(tx, idempotencyKeys, userId)
  })
})
