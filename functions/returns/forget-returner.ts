import { eq, inArray, sql } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { forgetAnswers } from '../shared/store/forget-answers.ts'
import { idempotencyKeys, returns } from './return.ts'

/** Forgets what a deleted customer has written. What came back, and what it cost, stays for the books. */
export const forgetReturner = reaction('forget-returner', async ({ data }, { once }) => {
  const customerId = 'userId' in data ? data.userId : data.customerId
  await once(async (tx) => {
    await forgetAnswers(tx, idempotencyKeys, customerId)
    await tx
      .update(returns)
      .set({
        items: sql`(select jsonb_agg(item || '{"note": null}') from jsonb_array_elements(${returns.items}) as item)`,
        version: sql`${returns.version} + 1`,
      })
      .where(eq(returns.customerId, customerId))
    // the answers that members of staff got repeat the notes
    const paths = tx
      .select({ path: sql`'/api/v1/returns/' || ${returns.id}` })
      .from(returns)
      .where(eq(returns.customerId, customerId))
    await tx.delete(idempotencyKeys).where(inArray(sql`${idempotencyKeys.headers}->>'location'`, paths))
  })
})
