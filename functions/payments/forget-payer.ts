import { and, eq, inArray, ne, sql } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { forgetAnswers } from '../shared/store/forget-answers.ts'
import { idempotencyKeys, payments, refunds } from './payment.ts'

/** Stands for what a member of staff has written about a refund to a customer who is deleted now. */
const removed = 'removed with the customer’s account'

/** Forgets what is written about a deleted customer. Amounts, ids and times stay, because the books need them. */
export const forgetPayer = reaction('forget-payer', async ({ data }, { once }) => {
  const customerId = 'userId' in data ? data.userId : data.customerId
  await once(async (tx) => {
    await forgetAnswers(tx, idempotencyKeys, customerId)
    const theirs = tx.select({ id: payments.id }).from(payments).where(eq(payments.customerId, customerId))
    await tx
      .update(refunds)
      .set({ reason: removed })
      .where(and(inArray(refunds.paymentId, theirs), ne(refunds.reason, removed)))
    // the answers that members of staff got repeat the reason
    const paths = tx
      .select({ path: sql`'/api/v1/payments/' || ${payments.id}` })
      .from(payments)
      .where(eq(payments.customerId, customerId))
    await tx.delete(idempotencyKeys).where(inArray(sql`${idempotencyKeys.headers}->>'location'`, paths))
  })
})
