import { asc, eq } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { contacts, mails, notifications, orders } from './notification.ts'
import { giveAll } from './store.ts'

/** Gives an account the list of a customer without one. Old mails are not sent: the list has them. */
export const followClaim = reaction('follow-claim', async ({ data: { customerId, userId } }, { once }) => {
  await once(async (tx) => {
    // orders before contacts, each in a fixed order, as by notify-customer
    const theirOrders = eq(orders.customerId, customerId)
    await tx.select({ id: orders.id }).from(orders).where(theirOrders).orderBy(asc(orders.id)).for('update')
    await tx.update(orders).set({ customerId: userId }).where(theirOrders)
    await tx
      .insert(contacts)
      .values({ userId: customerId, claimedBy: userId })
      .onConflictDoUpdate({ target: contacts.userId, set: { claimedBy: userId } })
    const theirs = await tx
      .select({ id: notifications.id })
      .from(notifications)
      .where(eq(notifications.userId, customerId))
      .orderBy(asc(notifications.seq))
    await giveAll(
      tx,
      theirs.map(({ id }) => ({ id, userId })),
      { isAnnounced: false },
    )
    await tx.delete(mails).where(eq(mails.userId, customerId))
  })
})
