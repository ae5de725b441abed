import { and, asc, eq, gt, sql } from 'drizzle-orm'
import type { EventData, EventType } from '../../events/event.ts'
import { isStaff, type User } from '../shared/auth/access-token.ts'
import { after, prepared, type Db, type Tx } from '../shared/store/postgres.ts'
import { Problem } from '../shared/http/problems.ts'
import { next, shipWithinMs, orders, timeline, type OrderEvent, type OrderRow } from './order.ts'

const byId = prepared((db) =>
  db
    .select()
    .from(orders)
    .where(eq(orders.id, sql.placeholder('id')))
    .prepare('order_by_id'),
)

/** An order that the user may see: their own, or any for staff; someone else's is not there (404). */
export async function readOrder(db: Db, id: string, user: User): Promise<OrderRow> {
  return visible((await byId(db).execute({ id }))[0], user)
}

/** Locks an order for a change. */
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
  /** What happened: the type of an event, or of a change by a person. */
  type: string
  detail?: string | undefined
  at?: Date
}

/** Writes a change of a locked order and adds to its timeline; answers the order as it is then. */
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
    // an entry alone is no new version: a client's If-Match still holds
    ...(Object.keys(change).length > 0 ? { version: row.version + 1, updatedAt: new Date() } : {}),
  }
  const added = entries.map(({ type, detail = null, at = new Date() }, i) => ({
    orderId: row.id,
    seq: row.entries + i + 1,
    type,
    detail,
    at,
    // the last entry is the change itself; the ones before led to it
    status: i === entries.length - 1 ? status : row.status,
  }))
  await Promise.all([
    tx.update(orders).set(changed).where(eq(orders.id, row.id)),
    tx.insert(timeline).values(added),
  ])
  return { ...row, ...changed }
}

/**
 * Applies an event to a locked order; undefined where the state machine refuses it.
 * @param entries what led to it, for the timeline; the change itself is added
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
  return changed
}

/** Cancels a locked order: `order.cancelled` has all that was taken given back. */
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
    { type: 'order.cancelled', data: { orderId: row.id, reason }, detail: reason },
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

/** The timeline's entries behind `seq`, in the order in which they were written. */
export const readTimeline = (db: Db, id: string, seq = 0) => entriesAfter(db).execute({ id, seq })
