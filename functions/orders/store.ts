import { and, asc, eq, gt, sql } from 'drizzle-orm'
import type { EmitOptions } from '../../events/emit.ts'
import type { EventData, EventType } from '../../events/event.ts'
import type { Actor } from '../shared/auth/actor.ts'
import { isStaff, type User } from '../shared/auth/access-token.ts'
import { isAmong, prepared, type Db, type Tx } from '../shared/store/postgres.ts'
import { Problem } from '../shared/http/problems.ts'
import { telemetry } from '../shared/telemetry/telemetry.ts'
import { forgetIfDeleted } from './forget.ts'
import {
  isEnded,
  next,
  shipWithinMs,
  orders,
  parcels,
  timeline,
  type OrderEvent,
  type OrderRow,
  type OrderStatus,
  type ParcelItem,
  type ParcelRow,
} from './order.ts'

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

/**
 * Reads orders and locks their rows until the transaction ends, in a fixed order, so that transactions do not deadlock.
 * @returns the orders, in the order of the given ids
 * @throws Problem 404 if there is no such order
 */
export async function lockOrders(tx: Tx, ids: readonly string[]): Promise<OrderRow[]> {
  const rows = await tx
    .select()
    .from(orders)
    .where(isAmong(orders.id, ids))
    .orderBy(asc(orders.id))
    .for('update')
    .prepare('lock_orders')
    .execute()
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.map((id) => visible(byId.get(id), undefined))
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
  /** What only staff see. */
  staffNote?: string
  at?: Date
  /** Who did it; whoever makes the change if it is not set. */
  actor?: Actor | undefined
  /** The status that it led to, if it is neither the one before nor that of the whole change. */
  status?: OrderStatus
}

/**
 * Returns the entry that the stock is reserved, if the timeline does not have it yet. The payment was asked for because
 * of that, so its result often comes before track-order, which is patient, has written the entry.
 * @param at when the result came
 */
export const reservedBefore = ({ status }: OrderRow, at: Date): Entry[] =>
  status === 'placed' ? [{ type: 'stock.reserved', status: 'reserved', at, actor: 'system' }] : []

/** Returns which of the orders have an entry that the stock is reserved. */
export async function trackedAsReserved(tx: Tx, ids: readonly string[]): Promise<Set<string>> {
  const found = await tx
    .select({ id: timeline.orderId })
    .from(timeline)
    .where(and(isAmong(timeline.orderId, ids), eq(timeline.type, 'stock.reserved')))
    .prepare('tracked_as_reserved')
    .execute()
  return new Set(found.map(({ id }) => id))
}

/** A change of a locked order, and the entries that it adds to its timeline. */
interface Change {
  row: OrderRow
  change: Partial<Pick<OrderRow, 'status' | 'deliveryAddress' | 'note' | 'reason' | 'shortage'>>
  entries: Entry[]
}

/** Changes a locked order and adds entries to its timeline. Returns the changed order. */
export async function writeOrder(
  tx: Tx,
  row: OrderRow,
  change: Change['change'],
  entries: Entry[],
): Promise<OrderRow> {
  const [changed] = await writeOrders(tx, [{ row, change, entries }])
  return changed!
}

/** Changes locked orders, each once, in one statement. Returns the changed orders. */
export async function writeOrders(tx: Tx, changes: readonly Change[]): Promise<OrderRow[]> {
  if (changes.length === 0) return []
  const changed = changes.map(({ row, change, entries }) => ({
    ...row,
    ...change,
    entries: row.entries + entries.length,
    // a timeline entry alone does not change the version, so a client's If-Match stays valid
    ...(Object.keys(change).length > 0 ? { version: row.version + 1, updatedAt: new Date() } : {}),
  }))
  const added = changes.flatMap(({ row, change, entries }) => {
    let before = row.status
    return entries.map(
      ({ type, detail = null, staffNote, at = new Date(), actor = tx.actor, status = before }, i) => {
        before = status
        // the last entry is the change itself; the earlier ones led to it
        const led = i === entries.length - 1 ? (change.status ?? status) : status
        return { orderId: row.id, seq: row.entries + i + 1, type, detail, staffNote, at, actor, status: led }
      },
    )
  })
  // they never change, and may be long
  const written = changed.map((row) => ({ ...row, lines: undefined }))
  await tx.client`
      with added as (
        insert into orders.timeline (order_id, seq, type, detail, staff_note, at, actor, status)
        select "orderId", seq, type, detail, "staffNote", at, actor, status
        from jsonb_to_recordset(${JSON.stringify(added)}::jsonb) as new (
          "orderId" uuid, seq integer, type text, detail text, "staffNote" text, at timestamptz, actor text, status text)
      )
      update orders.orders as row
      set status = new.status, delivery_address = new."deliveryAddress", note = new.note, reason = new.reason,
        shortage = new.shortage, entries = new.entries, version = new.version, updated_at = new."updatedAt"
      from jsonb_to_recordset(${JSON.stringify(written)}::jsonb) as new (
        id uuid, status text, "deliveryAddress" jsonb, note text, reason text, shortage jsonb, entries integer, version integer,
        "updatedAt" timestamptz)
      where row.id = new.id`
  return changed
}

/** What happens to a locked order. */
interface Step<T extends EventType> {
  row: OrderRow
  event: OrderEvent
  emits?: { type: T; data: EventData<T>; detail?: string | undefined } | undefined
  /** Timeline entries for what led to the change; the change itself is added if it emits an event. */
  entries: Entry[]
  /** The event that it results from, if there are several. */
  causedBy?: EmitOptions['causedBy']
}

/**
 * Applies events to locked orders, one to each. All changes of an order's status are made here, except that to
 * `reserved` if all of it is, which track-order makes.
 * @returns the changed orders; those whose status does not allow the event are not among them
 */
export async function advanceAll<T extends EventType>(
  tx: Tx,
  steps: readonly Step<T>[],
): Promise<OrderRow[]> {
  const moves = steps.flatMap((step) => {
    const status = next(step.row.status, step.event)
    return status === undefined ? [] : [{ ...step, status }]
  })
  // a transaction with several orders belongs to the trace of the first
  if (moves.length === 1) linkPlacing(moves[0]!.row)
  const changes = moves.map(({ row, status, emits, entries }) => ({
    row,
    change: { status, ...(status === 'cancelled' ? { reason: emits?.detail ?? null } : {}) },
    entries: emits === undefined ? entries : [...entries, { type: emits.type, detail: emits.detail }],
  }))
  const emitted = moves.flatMap(({ row, status, emits, causedBy }) => {
    const from = causedBy && { causedBy }
    const deadline = { orderId: row.id, milestone: 'shipment' as const }
    return [
      emits && tx.emit(emits.type, row.id, emits.data, from),
      status === 'confirmed' &&
        tx.emit('order.deadline-reached', row.id, deadline, { ...from, afterMs: shipWithinMs }),
    ]
  })
  const [changed] = await Promise.all([writeOrders(tx, changes), ...emitted])
  return Promise.all(changed.map(async (row) => (isEnded(row.status) ? forgetIfDeleted(tx, row) : row)))
}

/** Links the trace of a later step to that of the placing, because days may lie between them. */
function linkPlacing({ traceparent }: OrderRow) {
  const span = telemetry()?.current()
  const traceId = traceparent?.split('-')[1]
  if (traceId !== span?.traceId) span?.link(traceparent)
}

/**
 * Applies an event to a locked order.
 * @returns the changed order, or undefined if the order's status does not allow the event
 */
export async function advance<T extends EventType>(
  tx: Tx,
  row: OrderRow,
  event: OrderEvent,
  emits: Step<T>['emits'],
  entries: Entry[],
): Promise<OrderRow | undefined> {
  const [changed] = await advanceAll(tx, [{ row, event, emits, entries }])
  return changed
}

/**
 * Cancels a locked order. It emits `order.cancelled`, which releases the stock and returns the payment, except for the
 * parcels that are kept. What a person gives as the reason stays with the order, but is in no event: events cannot be
 * anonymised.
 * @returns the cancelled order, or undefined if its status does not allow the event
 */
export const cancel = (
  tx: Tx,
  row: OrderRow,
  event: 'cancel' | 'cancel-rest' | 'recall' | 'expire',
  reason: string,
  { entries = [], kept = [] }: { entries?: Entry[]; kept?: KeptParcel[] } = {},
) =>
  advance(
    tx,
    row,
    event,
    {
      type: 'order.cancelled',
      data: {
        orderId: row.id,
        reason: tx.actor === 'system' ? reason : 'cancelled on request',
        ...(kept.length > 0 && { kept }),
      },
      detail: reason,
    },
    entries,
  )

/** A parcel that the customer keeps if the rest of the order is cancelled. */
export interface KeptParcel {
  parcelId: string
  items: ParcelItem[]
}

/** Reads what was shipped of an order. */
export const parcelsOf = (tx: Tx, orderId: string): Promise<ParcelRow[]> =>
  tx.select().from(parcels).where(eq(parcels.orderId, orderId)).orderBy(asc(parcels.id))

/** Returns those of an order's parcels that were shipped and paid. */
export const keptOf = (rows: readonly ParcelRow[]): KeptParcel[] =>
  rows.flatMap(({ id: parcelId, items, isCaptured }) =>
    isCaptured && items !== null ? [{ parcelId, items }] : [],
  )

/** Notes what was heard of a parcel. What it costs may be captured before it is heard that it was shipped. */
export async function keepParcel(
  tx: Tx,
  { id, orderId, ...heard }: Pick<ParcelRow, 'id' | 'orderId'> & Partial<ParcelRow>,
): Promise<void> {
  await tx
    .insert(parcels)
    .values({ id, orderId, ...heard })
    .onConflictDoUpdate({ target: parcels.id, set: heard })
}

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
