import { asc, eq } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { contacts, mails, notifications, orders } from './notification.ts'
import { give } from './store.ts'

/** Gives an account the list of a customer without one. Old mails are not sent: the list has them. */
export const followClaim = reaction('follow-claim', async ({ data: { customerId, userId } }, { once }) => {
  await once(async (tx) => {
    // orders before contacts, as by notify-customer
    await tx.update(orders).set({ customerId: userId }).where(eq(orders.customerId, customerId))
    await tx
      .insert(contacts)
      .values({ userId: customerId, claimedBy: userId })
      .onConflictDoUpdate({ target: contacts.userId, set: { claimedBy: userId } })
    const theirs = await tx
      .select({ id: notifications.id })
      .from(notifications)
      .where(eq(notifications.userId, customerId))
      .orderBy(asc(notifications.seq))
    for (const { id } of theirs) await give(tx, id, userId)
    await tx.delete(mails).where(eq(mails.userId, customerId))
  })
})
