import { and, eq, sql } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { isStaff, type User } from '../shared/auth/access-token.ts'
import type { Actor } from '../shared/auth/actor.ts'
import type { IdempotencyKey } from '../shared/store/idempotency.ts'
import { prepared, type Db, type Tx } from '../shared/store/postgres.ts'
import { Problem } from '../shared/http/problems.ts'
import {
  isPayment,
  next,
  payments,
  refunds,
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
 * Applies an event to a locked payment and returns the changed payment.
 * @throws if its state does not allow the event
 */
export async function advance(
  tx: Tx,
  row: PaymentRow,
  event: PaymentEvent,
  more: Partial<Pick<PaymentRow, 'providerId' | 'reason'>> = {},
): Promise<PaymentRow> {
  const state = next(row, event)
  if (state === undefined) throw new Error(`payment ${row.id} is ${row.status}: it refuses to ${event.type}`)
  const { status, captured, refunded, refunding } = state
  const change = { status, captured, refunded, refunding, ...more, version: row.version + 1 }
  const changed = { ...change, updatedAt: new Date() }
  await tx.update(payments).set(changed).where(eq(payments.id, row.id))
  return { ...row, ...changed }
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
    .values({ ...refund, caller, key, hash })
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
 * @param actor who asked for the refund, if not whoever runs the function
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
  const data = { orderId: payment.orderId, paymentId: payment.id, amount: { amount, currency } }
  await tx.emit('payment.refunded', payment.orderId, data, { actor })
  return { done: ended, isFirst: true }
}

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
