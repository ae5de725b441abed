import { and, asc, eq, gt, isNull, sql } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import type { User } from '../shared/auth/access-token.ts'
import { Problem } from '../shared/http/problems.ts'
import { prepared, type Db, type Tx } from '../shared/store/postgres.ts'
import { contacts, notifications, orders, type NotificationRow } from './notification.ts'
import type { Facts, Kind, Language } from './texts.ts'

/** A notification that is to be written. */
export interface NewNotification {
  eventId: string
  kind: Kind
  facts: Facts
  orderId: string | null
  /** When it happened. */
  at: Date
  /** Where it is mailed, if not to the user's present address. */
  mailTo?: string
}

/** Writes a notification, once for each event and user. A user who is deleted is told nothing. */
export async function notify(tx: Tx, userId: string, given: NewNotification): Promise<void> {
  const place = await nextPlace(tx, userId)
  if (place === undefined) return
  const [written] = await tx
    .insert(notifications)
    .values({ ...given, id: uuidv7(), ...place })
    .onConflictDoNothing()
    .returning({ id: notifications.id })
  if (written !== undefined) await announce(tx, written.id, place.userId)
}

/** Writes a notification for the customer of an order, which waits if it is not known yet whose order it is. */
export async function notifyCustomerOf(tx: Tx, given: NewNotification & { orderId: string }): Promise<void> {
  const { orderId: id } = given
  // whichever event of the order comes first, the others wait for its row
  await tx.insert(orders).values({ id }).onConflictDoNothing()
  const [order] = await tx.select().from(orders).where(eq(orders.id, id)).for('update')
  const customerId = order?.customerId ?? null
  if (customerId !== null) return notify(tx, customerId, given)
  await tx
    .insert(notifications)
    .values({ ...given, id: uuidv7() })
    .onConflictDoNothing()
}

/** Keeps whose order it is, and gives the customer the notifications that have waited for that. */
export async function keepOrder(tx: Tx, id: string, customerId: string): Promise<void> {
  await tx
    .insert(orders)
    .values({ id, customerId })
    .onConflictDoUpdate({ target: orders.id, set: { customerId } })
  const waiting = await tx
    .select({ id: notifications.id })
    .from(notifications)
    .where(and(eq(notifications.orderId, id), isNull(notifications.userId)))
    .orderBy(asc(notifications.at))
  for (const row of waiting) {
    const place = await give(tx, row.id, customerId)
    if (place !== undefined) await announce(tx, row.id, place.userId)
  }
}

/** Gives a notification to a user, at the end of the list. A user who is deleted gets nothing: it is removed. */
export async function give(tx: Tx, id: string, userId: string): Promise<Place | undefined> {
  const place = await nextPlace(tx, userId)
  const isIt = eq(notifications.id, id)
  if (place === undefined) await tx.delete(notifications).where(isIt)
  else await tx.update(notifications).set(place).where(isIt)
  return place
}

/** The end of a user's list. */
interface Place {
  userId: string
  seq: number
}

/**
 * Returns the place of a user's next notification, and locks the contact until the transaction ends, so that whoever
 * has seen a number has seen all smaller ones. A record that staff keep may belong to an account by now, which then gets
 * it. Returns undefined if the user is deleted.
 */
async function nextPlace(tx: Tx, userId: string): Promise<Place | undefined> {
  const [contact] = await tx
    .insert(contacts)
    .values({ userId, notified: 1 })
    .onConflictDoUpdate({
      target: contacts.userId,
      set: { notified: sql`${contacts.notified} + 1` },
      setWhere: isNull(contacts.deletedAt),
    })
    .returning({ seq: contacts.notified, claimedBy: contacts.claimedBy })
  if (contact === undefined) return undefined
  return contact.claimedBy === null ? { userId, seq: contact.seq } : nextPlace(tx, contact.claimedBy)
}

/** Announces a notification, so that it is mailed. */
export const announce = (tx: Tx, notificationId: string, userId: string) =>
  tx.emit('notification.created', notificationId, { notificationId, userId })

const contactOf = prepared((db) =>
  db
    .select({ language: contacts.language, notified: contacts.notified })
    .from(contacts)
    .where(eq(contacts.userId, sql.placeholder('userId')))
    .prepare('contact_by_user'),
)

/** Returns the user's language, and the number of the newest notification. */
export async function readState(db: Db, userId: string): Promise<{ language: Language; notified: number }> {
  const [found] = await contactOf(db).execute({ userId })
  return found ?? { language: 'en', notified: 0 }
}

const after = prepared((db) =>
  db
    .select()
    .from(notifications)
    .where(
      and(eq(notifications.userId, sql.placeholder('userId')), gt(notifications.seq, sql.placeholder('seq'))),
    )
    .orderBy(asc(notifications.seq))
    .limit(100)
    .prepare('notifications_after'),
)

/** Reads at most 100 of the user's notifications after `seq`, oldest first. */
export const readAfter = (db: Db, userId: string, seq: number): Promise<NotificationRow[]> =>
  after(db).execute({ userId, seq })

/**
 * Marks a notification of the user as read, and returns it. One that is read already keeps its time.
 * @throws Problem 404 if the user has no such notification; nobody sees those of others
 */
export async function markRead(tx: Tx, id: string, user: User): Promise<NotificationRow> {
  const [row] = await tx
    .update(notifications)
    .set({ readAt: sql`coalesce(${notifications.readAt}, now())` })
    .where(and(eq(notifications.id, id), eq(notifications.userId, user.id)))
    .returning()
  if (row === undefined) throw new Problem('not-found', { detail: 'There is no notification with this id.' })
  return row
}
