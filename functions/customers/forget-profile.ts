import { eq } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { forgetAnswers } from '../shared/store/forget-answers.ts'
import { addresses, claims, customers, idempotencyKeys, nothing, pathOf, paymentMethods } from './customer.ts'
import { forgetAnswersAt } from './store.ts'

/** Forgets everything about a deleted user. Their row stays empty, so that a late request does not fill it again. */
export const forgetProfile = reaction('forget-profile', async ({ data: { userId }, time }, { once }) => {
  await once(async (tx) => {
    const gone = { ...nothing, deletedAt: time }
    // locks the row first, as whoever saves something does
    await tx
      .insert(customers)
      .values({ id: userId, hasAccount: true, ...gone })
      .onConflictDoUpdate({ target: customers.id, set: gone })
    await tx.delete(addresses).where(eq(addresses.customerId, userId))
    await tx.delete(paymentMethods).where(eq(paymentMethods.customerId, userId))
    await tx.delete(claims).where(eq(claims.usedBy, userId))
    await forgetAnswers(tx, idempotencyKeys, userId)
    // those of staff, too
    await forgetAnswersAt(tx, pathOf(userId))
  })
})
