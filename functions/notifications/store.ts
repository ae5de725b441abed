import { and, asc, eq, gt, sql } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import type { EmitOptions } from '../../events/emit.ts'
import type { User } from '../shared/auth/access-token.ts'
import { Problem } from '../shared/http/problems.ts'
import { isAmong, prepared, type Db, type Tx } from '../shared/store/postgres.ts'
import { contacts, notifications, type NotificationRow } from './notification.ts'
import type { Facts, Kind, Language } from './texts.ts'
import type { OrderNews, SellerLines } from './webhook-orders.ts'

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
export const notify = (tx: Tx, userId: string, given: NewNotification): Promise<void> =>
  addAll(tx, [{ ...given, id: uuidv7(), userId }])

/** An order as it is known after an event. */
export interface KeptOrder {
  id: string
  /** Null until `order.placed` says whose order it is. */
  customerId: string | null
  sellerLines: SellerLines | null
  early: OrderNews[] | null
}

/**
 * Locks orders, in a fixed order, keeps what is known of them now, and returns it. Whichever event of an order comes first,
 * the others wait for its row. What happens to an order before it is known whose it is, is added to `early`.
 */
export async function keepOrders(
  tx: Tx,
  given: readonly {
    orderId: string
    customerId?: string
    sellerLines?: SellerLines | undefined
    early?: readonly OrderNews[]
  }[],
): Promise<ReadonlyMap<string, KeptOrder>> {
  const rows = [...Map.groupBy(given, ({ orderId }) => orderId)]
    .map(([id, all]) => ({ ...Object.assign({}, ...all), id, early: all.flatMap(({ early = [] }) => early) }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const kept = await tx.client<KeptOrder[]>`
    insert into notifications.orders as known (id, customer_id, seller_lines, early)
    select id, "customerId", "sellerLines", nullif(early, '[]'::jsonb)
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as new (
      id uuid, "customerId" uuid, "sellerLines" jsonb, early jsonb)
    on conflict (id) do update set
      customer_id = coalesce(excluded.customer_id, known.customer_id),
      seller_lines = coalesce(known.seller_lines, excluded.seller_lines),
      early = case
        when known.customer_id is null and excluded.early is not null
        then coalesce(known.early, '[]'::jsonb) || excluded.early
        else known.early
      end
    returning id, customer_id as "customerId", seller_lines as "sellerLines", early`
  return new Map(kept.map((order) => [order.id, order]))
}

/** Keeps what is left of orders that were kept before, and locked. That they were placed may be heard later. */
export async function keepReduced(
  tx: Tx,
  reduced: readonly { id: string; sellerLines: SellerLines | null }[],
): Promise<void> {
  if (reduced.length > 0)
    await tx.client`
      update notifications.orders as known set seller_lines = new."sellerLines"
      from jsonb_to_recordset(${JSON.stringify(reduced)}::jsonb) as new (id uuid, "sellerLines" jsonb)
      where known.id = new.id`
}

/** Returns the notifications that have waited until it is known whose orders they are about, oldest first. */
export const waitingFor = async (
  tx: Tx,
  orderIds: readonly string[],
): Promise<{ id: string; orderId: string }[]> =>
  orderIds.length === 0
    ? []
    : tx.client<{ id: string; orderId: string }[]>`
        select id, order_id as "orderId" from notifications.notifications
        where user_id is null
          and order_id = any(array(select jsonb_array_elements_text(${JSON.stringify(orderIds)}::jsonb)::uuid))
        order by at`

/** Writes notifications, and announces those that have a user. Those of a deleted user are not written. */
export async function addAll(
  tx: Tx,
  given: readonly (NewNotification & { id: string; userId: string | null; from?: EmitOptions })[],
): Promise<void> {
  const places = await nextPlaces(
    tx,
    given.map(({ userId }) => userId),
  )
  const added = given.flatMap(({ from, ...one }, i) => {
    const place = one.userId === null ? { userId: null, seq: null } : places[i]
    return place === undefined ? [] : [{ from, row: { ...one, ...place } }]
  })
  if (added.length === 0) return
  await Promise.all([
    tx.client`
      insert into notifications.notifications (id, event_id, user_id, seq, kind, order_id, facts, at, mail_to)
      select id, "eventId", "userId", seq, kind, "orderId", facts, at, "mailTo"
      from jsonb_to_recordset(${JSON.stringify(added.map(({ row }) => row))}::jsonb) as new (
        id uuid, "eventId" uuid, "userId" uuid, seq integer, kind text, "orderId" uuid, facts jsonb, at timestamptz,
        "mailTo" text)
      on conflict do nothing`,
    ...added.map(({ row: { id, userId }, from }) => userId !== null && announce(tx, id, userId, from)),
  ])
}

/**
 * Gives notifications that are there to users, at the ends of their lists, and announces them. Those of a deleted user are
 * removed.
 * @param isAnnounced whether they are mailed
 */
export async function giveAll(
  tx: Tx,
  given: readonly { id: string; userId: string; from?: EmitOptions | undefined }[],
  { isAnnounced = true } = {},
): Promise<void> {
  if (given.length === 0) return
  const places = await nextPlaces(
    tx,
    given.map(({ userId }) => userId),
  )
  const rows = given.map(({ id }, i) => ({ id, ...places[i] }))
  await Promise.all([
    tx.client`
      update notifications.notifications as row set user_id = new."userId", seq = new.seq
      from jsonb_to_recordset(${JSON.stringify(rows.filter((row) => 'seq' in row))}::jsonb)
        as new (id uuid, "userId" uuid, seq integer)
      where row.id = new.id`,
    tx
      .delete(notifications)
      .where(
        isAmong(
          notifications.id,
          rows.filter((row) => !('seq' in row)).map(({ id }) => id),
        ),
      )
      .prepare('delete_notifications')
      .execute(),
    ...rows.map(({ id, userId }, i) => isAnnounced && userId && announce(tx, id, userId, given[i]!.from)),
  ])
}

/** The end of a user's list. */
interface Place {
  userId: string
  seq: number
}

/**
 * Returns the places of users' next notifications, and locks the contacts until the transaction ends, so that whoever
 * has seen a number has seen all smaller ones. A record that staff keep may belong to an account by now, which then gets
 * them. There is no place for a user who is deleted, or null.
 */
async function nextPlaces(tx: Tx, userIds: readonly (string | null)[]): Promise<(Place | undefined)[]> {
  const counts = new Map<string, number>()
  for (const id of userIds) if (id !== null) counts.set(id, (counts.get(id) ?? 0) + 1)
  if (counts.size === 0) return []
  // in a fixed order, so that transactions do not deadlock
  const wanted = [...counts]
    .map(([userId, count]) => ({ userId, count }))
    .toSorted((a, b) => (a.userId < b.userId ? -1 : 1))
  const found = await tx.client<{ userId: string; notified: number; claimedBy: string | null }[]>`
    insert into notifications.contacts as contact (user_id, notified)
    select "userId", count
    from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as new ("userId" uuid, count integer)
    on conflict (user_id) do update set notified = contact.notified + excluded.notified
    where contact.deleted_at is null
    returning user_id as "userId", notified, claimed_by as "claimedBy"`
  const contacts = new Map(
    found.map(({ userId, notified, claimedBy }) => [
      userId,
      { claimedBy, before: notified - counts.get(userId)! },
    ]),
  )
  const claimants = userIds.map((id) => (id === null ? null : (contacts.get(id)?.claimedBy ?? null)))
  const claimed = claimants.some((id) => id !== null) ? await nextPlaces(tx, claimants) : []
  return userIds.map((userId, i) => {
    const contact = userId === null ? undefined : contacts.get(userId)
    if (userId === null || contact === undefined) return undefined
    return contact.claimedBy === null ? { userId, seq: ++contact.before } : claimed[i]
  })
}

/** Announces a notification, so that it is mailed. */
export const announce = (tx: Tx, notificationId: string, userId: string, from?: EmitOptions) =>
  tx.emit('notification.created', notificationId, { notificationId, userId }, from)

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
