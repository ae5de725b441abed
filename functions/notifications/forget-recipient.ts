import { eq, sql } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { forgetAnswers } from '../shared/store/forget-answers.ts'
import { isAmong } from '../shared/store/postgres.ts'
import { contacts, idempotencyKeys, mails, notifications } from './notification.ts'
import { products, webhookDeliveries, webhookEndpoints } from './webhook.ts'

/** Forgets a deleted user. The id stays, so that an event that comes later is told to nobody. */
export const forgetRecipient = reaction('forget-recipient', async ({ data: { userId } }, { once }) => {
  await once(async (tx) => {
    const nothing = { email: null, name: null, deletedAt: sql`now()` }
    // locked first, as by whoever adds a notification
    await tx
      .insert(contacts)
      .values({ userId, ...nothing })
      .onConflictDoUpdate({ target: contacts.userId, set: nothing })
    await tx.delete(notifications).where(eq(notifications.userId, userId))
    await tx.delete(mails).where(eq(mails.userId, userId))
    const endpoints = await tx
      .delete(webhookEndpoints)
      .where(eq(webhookEndpoints.userId, userId))
      .returning({ id: webhookEndpoints.id })
    await tx.delete(webhookDeliveries).where(
      isAmong(
        webhookDeliveries.endpointId,
        endpoints.map(({ id }) => id),
      ),
    )
    await tx.delete(products).where(eq(products.sellerId, userId))
    await forgetAnswers(tx, idempotencyKeys, userId)
  })
})
