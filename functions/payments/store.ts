import { and, asc, eq, isNull, sql } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import type { EventData } from '../../events/event.ts'
import { isStaff, type User } from '../shared/auth/access-token.ts'
import type { Actor } from '../shared/auth/actor.ts'
import type { IdempotencyKey } from '../shared/store/idempotency.ts'
import { isAmong, prepared, type Db, type Tx } from '../shared/store/postgres.ts'
import { Problem } from '../shared/http/problems.ts'
import {
  captures,
  isPayment,
  next,
  payments,
  refunds,
  type CaptureRow,
  type PaymentEvent,
  type PaymentRow,
  type RefundRow,
} from './payment.ts'

const byId = prepared((db) =>
  db
    .select()
    .from(payments)
    .where(eq(payments.id, sql.placeholder('id')))
    .prepare('payment_by_id'),
)

/**
 * Reads a payment that the user may see: customers see their own payments, staff see all.
 * @throws Problem 404 if there is no such payment, or the user may not see it
 */
export async function readPayment(db: Db, id: string, user: User) {
  const [row] = await byId(db).execute({ id })
  if (!isPayment(row) || (row.customerId !== user.id && !isStaff(user))) throw noPayment()
  return row
}

/** Reads a payment of any customer. */
export async function findPayment(db: Db, id: string): Promise<PaymentRow | undefined> {
  const [row] = await byId(db).execute({ id })
  return row
}

export const noPayment = () => new Problem('not-found', { detail: 'There is no payment with this id.' })

/** Reads a payment and locks its row until the transaction ends. */
export async function lockPayment(
  tx: Tx,
  by: { id: string } | { orderId: string },
): Promise<PaymentRow | undefined> {
  const where = 'id' in by ? eq(payments.id, by.id) : eq(payments.orderId, by.orderId)
  const [row] = await tx.select().from(payments).where(where).for('update')
  return row
}

/**
 * Reads payments and locks their rows until the transaction ends, in a fixed order, so that transactions do not deadlock.
 * @returns the payments, in the order of the given ids
 * @throws if one does not exist
 */
export async function lockPayments(tx: Tx, ids: readonly string[]): Promise<PaymentRow[]> {
  const rows = await tx
    .select()
    .from(payments)
    .where(isAmong(payments.id, ids))
    .orderBy(asc(payments.id))
    .for('update')
    .prepare('lock_payments')
    .execute()
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.map((id) => {
    const row = byId.get(id)
    if (row === undefined) throw new Error(`payment ${id} has gone`)
    return row
  })
}

/** A payment that is to be authorised. */
type OpenPayment = Pick<PaymentRow, 'id' | 'status' | 'amount' | 'currency'> & {
  /** The card token, as long as it is kept. */
  secret?: string
}

/**
 * Finds or creates the order's payment, and reads the card token, in one statement. The payment's id, the provider's
 * reference, is the same for every delivery.
 */
export async function openPayment(
  db: Db,
  { orderId, customerId, total }: Pick<EventData<'stock.reserved'>, 'orderId' | 'customerId' | 'total'>,
): Promise<OpenPayment> {
  const ask = () => db.client<(Omit<OpenPayment, 'secret'> & { secret: string | null })[]>`
    with opened as (
      insert into payments.payments (id, order_id, customer_id, status, amount, currency)
      values (
        ${uuidv7()}, ${orderId},
        coalesce((select user_id from payments.claimed_customers where id = ${customerId}), ${customerId}), 'authorizing', ${total.amount},
        ${total.currency})
      on conflict do nothing
      returning id, status, amount, currency
    ), payment as (
      select * from opened
      union all
      select id, status, amount, currency from payments.payments where order_id = ${orderId}
    )
    select *, (select secret from events.secrets where subject = ${orderId}) as secret from payment`
  // the row of another delivery that has just been committed is visible only to the next statement
  const [found = (await ask())[0]] = await ask()
  if (found === undefined) throw new Error(`the payment of order ${orderId} has gone`)
  const { secret, ...payment } = found
  return { ...payment, ...(secret === null ? {} : { secret }) }
}

/** What happens to a locked payment. */
interface Step {
  row: PaymentRow
  event: PaymentEvent
  more?: Partial<Pick<PaymentRow, 'providerId' | 'reason'>>
}

/**
 * Applies events to locked payments, one to each, in one statement. Returns the changed payments.
 * @throws if the state of one does not allow the event
 */
export async function advanceAll(tx: Tx, steps: readonly Step[]): Promise<PaymentRow[]> {
  const changed = steps.map(({ row, event, more }) => {
    const state = next(row, event)
    if (state === undefined)
      throw new Error(`payment ${row.id} is ${row.status}: it refuses to ${event.type}`)
    const { status, captured, capturing, refunded, refunding } = state
    const change = { status, captured, capturing, refunded, refunding, ...more }
    return { ...row, ...change, version: row.version + 1, updatedAt: new Date() }
  })
  if (changed.length > 0)
    await tx.client`
      update payments.payments as row
      set status = new.status, captured = new.captured, capturing = new.capturing, refunded = new.refunded,
        refunding = new.refunding, provider_id = new."providerId", reason = new.reason, version = new.version, updated_at = new."updatedAt"
      from jsonb_to_recordset(${JSON.stringify(changed)}::jsonb) as new (
        id uuid, status text, captured integer, capturing integer, refunded integer, refunding integer,
        "providerId" text, reason text, version integer, "updatedAt" timestamptz)
      where row.id = new.id`
  return changed
}

/**
 * Applies an event to a locked payment and returns the changed payment.
 * @throws if its state does not allow the event
 */
export async function advance(
  tx: Tx,
  row: PaymentRow,
  event: PaymentEvent,
  more: Step['more'] = {},
): Promise<PaymentRow> {
  const [changed] = await advanceAll(tx, [{ row, event, more }])
  return changed!
}

/** Returns the capture of a parcel, or of an order that is shipped as a whole, if there is one. */
export async function captureOf(
  tx: Tx,
  paymentId: string,
  parcelId: string | null,
): Promise<CaptureRow | undefined> {
  const [row] = await tx
    .select()
    .from(captures)
    .where(
      and(
        eq(captures.paymentId, paymentId),
        parcelId === null ? isNull(captures.parcelId) : eq(captures.parcelId, parcelId),
      ),
    )
  return row
}

/** Begins to capture a part of a locked payment. @throws if its state does not allow that */
export async function beginCapture(
  tx: Tx,
  row: PaymentRow,
  { parcelId, amount }: Pick<CaptureRow, 'parcelId' | 'amount'>,
): Promise<{ payment: PaymentRow; begun: CaptureRow }> {
  const payment = await advance(tx, row, { type: 'begin-capture', amount })
  const [begun] = await tx
    .insert(captures)
    .values({ id: uuidv7(), paymentId: row.id, parcelId, amount, status: 'pending' })
    .returning()
  return { payment, begun: begun! }
}

/** Ends the capture of a locked payment that is under way. One that an earlier version has begun has no row. */
export async function endCapture(
  tx: Tx,
  { id }: PaymentRow,
  status: 'done' | 'failed',
): Promise<CaptureRow | undefined> {
  const [row] = await tx
    .update(captures)
    .set({ status })
    .where(and(eq(captures.paymentId, id), eq(captures.status, 'pending')))
    .returning()
  return row
}

/** Returns how much was captured for parcels of a payment. */
export async function capturedFor(tx: Tx, paymentId: string, parcelIds: readonly string[]): Promise<number> {
  if (parcelIds.length === 0) return 0
  const rows = await tx
    .select({ amount: captures.amount })
    .from(captures)
    .where(
      and(
        eq(captures.paymentId, paymentId),
        isAmong(captures.parcelId, parcelIds),
        eq(captures.status, 'done'),
      ),
    )
  return rows.reduce((sum, { amount }) => sum + amount, 0)
}

/** Returns the refund that an earlier attempt of the same request began, whether or not it is finished. */
export async function begunRefund(
  tx: Tx,
  by: Pick<IdempotencyKey, 'caller' | 'key'>,
): Promise<RefundRow | undefined> {
  const [row] = await tx
    .select()
    .from(refunds)
    .where(and(eq(refunds.caller, by.caller), eq(refunds.key, by.key)))
  return row
}

/**
 * Begins a refund of a locked payment. The amount is reserved before the provider is called, so two refunds
 * cannot use the same money. The refund's id, from which the provider's key is made, survives a crash.
 * @returns the refund, or undefined if there already is one with the same key
 */
export async function beginRefund(
  tx: Tx,
  row: PaymentRow,
  { amount, reason }: { amount: number; reason: string },
  { caller, key, hash }: IdempotencyKey,
): Promise<RefundRow | undefined> {
  const refund = { id: uuidv7(), paymentId: row.id, amount, reason, status: 'pending' as const }
  const [begun] = await tx
    .insert(refunds)
    .values({ ...refund, caller, key, hash, actor: tx.actor })
    .onConflictDoNothing()
    .returning()
  if (begun === undefined) return undefined
  await advance(tx, row, { type: 'begin-refund', amount })
  const data = { orderId: row.orderId, paymentId: row.id, refundId: begun.id }
  await tx.emit('refund.requested', row.orderId, data)
  return begun
}

/**
 * Marks a pending refund as done and emits `payment.refunded`.
 * @param actor who asked for the refund, if an earlier version began it and it was not whoever runs the function
 * @returns the refund; `isFirst` unless it had ended before
 */
export async function finishRefund(
  tx: Tx,
  refund: RefundRow,
  actor?: Actor,
): Promise<{ done: RefundRow; isFirst: boolean }> {
  const { payment, ended } = await endRefund(tx, refund, 'done')
  if (ended === undefined) return { done: (await readRefund(tx, refund.id))!, isFirst: false }
  const { amount, currency } = { amount: refund.amount, currency: payment.currency }
  const returnId = returnOf(refund)
  const data = {
    orderId: payment.orderId,
    paymentId: payment.id,
    amount: { amount, currency },
    refundId: refund.id,
    ...(returnId !== undefined && { returnId }),
  }
  await tx.emit('payment.refunded', payment.orderId, data, { actor: refund.actor ?? actor })
  return { done: ended, isFirst: true }
}

/** Begins the key of a refund for a return. No user can choose it, because their keys have another caller. */
export const forReturns = 'return.received'

/** Returns the return that a pending refund is for, if it is for one. */
const returnOf = ({ caller, key }: RefundRow) => (caller === forReturns ? (key ?? undefined) : undefined)

export async function readRefund(db: Db | Tx, id: string): Promise<RefundRow | undefined> {
  const [row] = await db.select().from(refunds).where(eq(refunds.id, id))
  return row
}

/** Marks a pending refund as failed. Its amount can then be refunded again. */
export async function failRefund(tx: Tx, refund: RefundRow): Promise<void> {
  await endRefund(tx, refund, 'failed')
}

async function endRefund(tx: Tx, refund: RefundRow, status: 'done' | 'failed') {
  const payment = await lockPayment(tx, { id: refund.paymentId })
  if (payment === undefined) throw new Error(`refund ${refund.id} has no payment`)
  const [ended] = await tx
    .update(refunds)
    // a finished refund keeps its key, because the request that began it may still be retried
    .set({ status, ...(status === 'done' ? {} : { caller: null, key: null, hash: null }) })
    .where(and(eq(refunds.id, refund.id), eq(refunds.status, 'pending')))
    .returning()
  if (ended !== undefined)
    await advance(tx, payment, { type: status === 'done' ? 'refund' : 'fail-refund', amount: refund.amount })
  return { payment, ended }
}
