import { and, asc, eq, gt, sql } from 'drizzle-orm'
import type { EventData, EventType } from '../../events/event.ts'
import type { Actor } from '../shared/auth/actor.ts'
import { isStaff, type User } from '../shared/auth/access-token.ts'
import { after, prepared, type Db, type Tx } from '../shared/store/postgres.ts'
import { Problem } from '../shared/http/problems.ts'
import { forgetIfDeleted } from './forget.ts'
import { isEnded, next, shipWithinMs, orders, timeline, type OrderEvent, type OrderRow } from './order.ts'

const byId = prepared((db) =>
  db
    .select()
    .from(orders)
    .where(eq(orders.id, sql.placeholder('id')))
    .prepare('order_by_id'),
)

/**
 * Reads an order that the user may see: customers see their own orders, staff see all.
 * @throws Problem 404 if there is no such order, or the user may not see it
 */
export async function readOrder(db: Db, id: string, user: User): Promise<OrderRow> {
  return visible((await byId(db).execute({ id }))[0], user)
}

/**
 * Reads an order and locks its row until the transaction ends.
 * @param user checks that the user may see the order; without it, any order is returned
 * @throws Problem 404 if there is no such order, or the user may not see it
 */
export async function lockOrder(tx: Tx, id: string, user?: User): Promise<OrderRow> {
  const [row] = await tx.select().from(orders).where(eq(orders.id, id)).for('update')
  return visible(row, user)
}

function visible(row: OrderRow | undefined, user: User | undefined): OrderRow {
  if (row === undefined || (user !== undefined && row.customerId !== user.id && !isStaff(user)))
    throw new Problem('not-found', { detail: 'There is no order with this id.' })
  return row
}

export interface Entry {
  /** The type of an event, or of a change by a person. */
  type: string
  detail?: string | undefined
  at?: Date
  /** Who did it; whoever makes the change if it is not set. */
  actor?: Actor | undefined
}

/** Changes a locked order and adds entries to its timeline. Returns the changed order. */
export async function writeOrder(
  tx: Tx,
  row: OrderRow,
  change: Partial<Pick<OrderRow, 'status' | 'deliveryAddress' | 'note' | 'reason'>>,
  entries: Entry[],
): Promise<OrderRow> {
  const status = change.status ?? row.status
  const changed = {
    ...change,
    entries: row.entries + entries.length,
    // a timeline entry alone does not change the version, so a client's If-Match stays valid
    ...(Object.keys(change).length > 0 ? { version: row.version + 1, updatedAt: new Date() } : {}),
  }
  const added = entries.map(({ type, detail = null, at = new Date(), actor = tx.actor }, i) => ({
    orderId: row.id,
    seq: row.entries + i + 1,
    type,
    detail,
    at,
    actor,
    // the last entry is the change itself; the earlier ones led to it
    status: i === entries.length - 1 ? status : row.status,
  }))
  await Promise.all([
    tx.update(orders).set(changed).where(eq(orders.id, row.id)),
    tx.insert(timeline).values(added),
  ])
  return { ...row, ...changed }
}

/**
 * Applies an event to a locked order. All changes of an order's status are made here.
 * @param entries timeline entries for what led to the change; the change itself is added if it emits an event
 * @returns the changed order, or undefined if the order's status does not allow the event
 */
export async function advance<T extends EventType>(
  tx: Tx,
  row: OrderRow,
  event: OrderEvent,
  emits: { type: T; data: EventData<T>; detail?: string | undefined } | undefined,
  entries: Entry[],
): Promise<OrderRow | undefined> {
  const status = next(row.status, event)
  if (status === undefined) return undefined
  const change = {
    status,
    ...(status === 'cancelled' ? { reason: emits?.detail ?? null } : {}),
  }
  const own = emits === undefined ? [] : [{ type: emits.type, detail: emits.detail }]
  const [changed] = await Promise.all([
    writeOrder(tx, row, change, [...entries, ...own]),
    emits && tx.emit(emits.type, row.id, emits.data),
    status === 'confirmed' &&
      tx.emit(
        'order.deadline-reached',
        row.id,
        { orderId: row.id, milestone: 'shipment' },
        { at: after(shipWithinMs) },
      ),
  ])
  return isEnded(status) ? forgetIfDeleted(tx, changed) : changed
}

/**
 * Cancels a locked order. It emits `order.cancelled`, which releases the stock and returns the payment. What a person
 * gives as the reason is kept with the order, but is in no event: events cannot be anonymised.
 * @returns the cancelled order, or undefined if its status does not allow the event
 */
export const cancel = (
  tx: Tx,
  row: OrderRow,
  event: 'cancel' | 'recall' | 'expire',
  reason: string,
  entries: Entry[] = [],
) =>
  advance(
    tx,
    row,
    event,
    {
      type: 'order.cancelled',
      data: { orderId: row.id, reason: tx.actor === 'system' ? reason : 'cancelled on request' },
      detail: reason,
    },
    entries,
  )

const entriesAfter = prepared((db) =>
  db
    .select()
    .from(timeline)
    .where(and(eq(timeline.orderId, sql.placeholder('id')), gt(timeline.seq, sql.placeholder('seq'))))
    .orderBy(asc(timeline.seq))
    .prepare('order_timeline'),
)

/** Reads the timeline entries after `seq`, in the order in which they were written. */
export const readTimeline = (db: Db, id: string, seq = 0) => entriesAfter(db).execute({ id, seq })
