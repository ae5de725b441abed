import * as z from 'zod'
import { sql } from 'drizzle-orm'
import { check, index, integer, pgSchema, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import type { Actor } from '../shared/auth/actor.ts'
import { time } from '../shared/store/columns.ts'
import { requestCountsTable } from '../shared/store/counts-table.ts'
import { claimedCustomersTable } from '../shared/store/claimed-customers-table.ts'
import { endedSessionsTable } from '../shared/store/ended-sessions-table.ts'
import { idempotencyTable } from '../shared/store/idempotency-table.ts'
import type { ProviderPayment } from './provider.ts'
import { Amount, Id, Money, text as Text, Timestamp } from '../shared/schemas/schemas.ts'

/**
 * Payments: tables, schemas, the state machine and the arithmetic. All pure; amounts are in minor units.
 *
 *   authorizing ──► authorized ──► capturing ──► captured ──► refunded
 *      │    └► declined  │          ▲  │  └► capture_failed
 *      │                 │          │  ▼            │
 *      │                 │     partly_captured      │
 *      └─────────────────┴──► voiding ◄┴────────────┘
 *                                ├──► voided
 *                                └──► captured, if a part was captured before
 *
 * In `authorizing`, `capturing` and `voiding`, the outcome of a call to the provider is not known yet. A payment is
 * captured at once or in parts, one after the other. Refunds are made of whatever part is captured.
 */

export const statuses = [
  'authorizing',
  'authorized',
  'declined',
  'capturing',
  'partly_captured',
  'captured',
  'capture_failed',
  'voiding',
  'voided',
  'refunded',
] as const
export type PaymentStatus = (typeof statuses)[number]

/** The fields that the rules use. */
export interface PaymentState {
  status: PaymentStatus
  /** The amount that is, or will be, authorised. */
  amount: number
  captured: number
  /** The amount that is being captured. */
  capturing: number
  refunded: number
  /** The amount of refunds that the provider has not confirmed yet; other refunds cannot use it. */
  refunding: number
}

export type PaymentEvent =
  | { type: 'authorize' | 'decline' | 'capture' | 'fail-capture' | 'cancel' | 'void' }
  | { type: 'begin-capture' | 'begin-refund' | 'refund' | 'fail-refund'; amount: number }

type Transitions = Partial<Record<PaymentEvent['type'], PaymentStatus>>

/** A refund that was begun ends, whatever becomes of the payment meanwhile. */
const refundsIn = (status: PaymentStatus): Transitions => ({
  'begin-refund': status,
  refund: status,
  'fail-refund': status,
})

const transitions: Record<PaymentStatus, Transitions> = {
  authorizing: { authorize: 'authorized', decline: 'declined', cancel: 'voiding' },
  authorized: { 'begin-capture': 'capturing', cancel: 'voiding' },
  declined: {},
  // or captured in part
  capturing: { capture: 'captured', 'fail-capture': 'capture_failed', ...refundsIn('capturing') },
  partly_captured: { 'begin-capture': 'capturing', cancel: 'voiding', ...refundsIn('partly_captured') },
  captured: refundsIn('captured'),
  capture_failed: { cancel: 'voiding', ...refundsIn('capture_failed') },
  // the authorisation of a cancelled order may turn out to be declined: then there is nothing to void
  voiding: { void: 'voided', decline: 'declined', ...refundsIn('voiding') },
  voided: {},
  refunded: {},
}

/** Returns the state after an event, or undefined if the status or the amounts do not allow the event. */
export function next(state: PaymentState, event: PaymentEvent): PaymentState | undefined {
  const status = transitions[state.status][event.type]
  if (status === undefined) return undefined
  switch (event.type) {
    case 'begin-capture':
      if (!isPart(event.amount) || event.amount > state.amount - state.captured) return undefined
      return { ...state, status, capturing: event.amount }
    case 'capture': {
      const captured = state.captured + state.capturing
      return {
        ...state,
        captured,
        capturing: 0,
        status: captured < state.amount ? 'partly_captured' : status,
      }
    }
    case 'fail-capture':
      return { ...state, capturing: 0, status }
    case 'void':
      return { ...state, status: state.captured > 0 ? ended({ ...state, status: 'captured' }) : status }
    case 'begin-refund':
      if (!isAmount(event.amount) || event.amount > left(state)) return undefined
      return { ...state, refunding: state.refunding + event.amount }
    case 'refund': {
      if (!isAmount(event.amount) || event.amount > state.refunding) return undefined
      const refunded = state.refunded + event.amount
      const refunding = state.refunding - event.amount
      return { ...state, refunded, refunding, status: ended({ ...state, status, refunded }) }
    }
    case 'fail-refund':
      if (!isAmount(event.amount) || event.amount > state.refunding) return undefined
      return { ...state, refunding: state.refunding - event.amount }
    default:
      return { ...state, status }
  }
}

/** The status of a payment of which nothing will be captured any more, if all of it went back. */
const ended = ({ status, captured, refunded }: Pick<PaymentState, 'status' | 'captured' | 'refunded'>) =>
  status === 'captured' && refunded === captured ? 'refunded' : status

/** What the provider says of a payment means this to a payment whose outcome is not known yet. */
const meanings: Partial<Record<PaymentStatus, Partial<Record<ProviderPayment['status'], Settling>>>> = {
  // what is captured was authorised before; what is voided will not be paid
  authorizing: { authorized: 'authorize', captured: 'authorize', declined: 'decline', voided: 'decline' },
  // it stays authorised while there is a rest
  capturing: { captured: 'capture', authorized: 'capture' },
  // what was captured of it before stays captured
  voiding: { voided: 'void', captured: 'void', declined: 'decline' },
}

/** The events by which the outcome of a call to the provider becomes known. */
export type Settling = 'authorize' | 'decline' | 'capture' | 'void'

/**
 * Returns the event that follows from the provider's status of a payment, whether that is from an answer, a look-up or
 * a webhook. Returns undefined if nothing does: the outcome is known already, or it is old news.
 */
export function meaningOf(
  { status, captured, capturing }: Pick<PaymentState, 'status' | 'captured' | 'capturing'>,
  told: Pick<ProviderPayment, 'status' | 'captured'>,
): Settling | undefined {
  const meaning = meanings[status]?.[told.status]
  if (meaning === 'capture' && told.captured < captured + capturing) return undefined
  // without a part that was captured, it is not the shop that has captured it
  if (meaning === 'void' && told.status === 'captured' && captured === 0) return undefined
  return meaning
}

/**
 * Returns how the provider's record of a payment differs from what the shop has requested, or undefined if it does not.
 * A record that is older than ours does not differ.
 */
export function strangenessOf(
  state: PaymentState,
  told: Pick<ProviderPayment, 'status' | 'captured' | 'refunded'>,
) {
  if (told.refunded > state.refunded + state.refunding) return 'more was refunded than the shop has requested'
  const isInPart = state.captured > 0 && state.captured < state.amount
  if (isInPart && told.captured > state.captured + state.capturing)
    return 'more was captured than the shop has requested'
  // the rest is given back: what that is called differs between providers
  if (isInPart && ['voiding', 'captured', 'refunded'].includes(state.status)) return undefined
  const unasked = {
    captured: ['authorized', 'partly_captured', 'voiding', 'voided'],
    voided: ['authorized', 'partly_captured', 'captured'],
  }
  const { status } = told
  if ((status === 'captured' || status === 'voided') && unasked[status].includes(state.status))
    return `it was ${status} without the shop’s request`
  return undefined
}

/** Returns the amount that can still be refunded. */
export const left = ({ captured, refunded, refunding }: PaymentState) => captured - refunded - refunding

const isAmount = (amount: number) => Number.isSafeInteger(amount) && amount > 0
/** A parcel may cost nothing. */
const isPart = (amount: number) => Number.isSafeInteger(amount) && amount >= 0

export const schema = pgSchema('payments')

export const payments = schema.table(
  'payments',
  {
    id: uuid().primaryKey(),
    orderId: uuid('order_id').notNull().unique(),
    /** Null if the order was cancelled before a payment was requested: the row only blocks one. */
    customerId: uuid('customer_id'),
    status: text().$type<PaymentStatus>().notNull(),
    amount: integer().notNull(),
    currency: text().notNull(),
    captured: integer().notNull().default(0),
    capturing: integer().notNull().default(0),
    refunded: integer().notNull().default(0),
    refunding: integer().notNull().default(0),
    providerId: text('provider_id'),
    /** Why it was declined, or why the capture failed. */
    reason: text(),
    version: integer().notNull().default(1),
    createdAt: time('created_at').notNull().defaultNow(),
    updatedAt: time('updated_at').notNull().defaultNow(),
  },
  (t) => [
    index().on(t.customerId, t.id),
    index().on(t.status, t.id),
    check('payments_captured', sql`${t.captured} between 0 and ${t.amount}`),
    check('payments_refunded', sql`${t.refunded} >= 0 and ${t.refunding} >= 0`),
    check('payments_left', sql`${t.refunded} + ${t.refunding} <= ${t.captured}`),
  ],
)

export type PaymentRow = typeof payments.$inferSelect

export const captureStatuses = ['pending', 'done', 'failed'] as const

/** The captures of each payment: of what each parcel costs, or of all that is left. */
export const captures = schema.table(
  'captures',
  {
    id: uuid().primaryKey(),
    paymentId: uuid('payment_id')
      .notNull()
      .references(() => payments.id),
    /** Null if the order was shipped as a whole. */
    parcelId: uuid('parcel_id'),
    amount: integer().notNull(),
    status: text().$type<(typeof captureStatuses)[number]>().notNull(),
    at: time('at').notNull().defaultNow(),
  },
  (t) => [
    uniqueIndex('captures_of_parcel').on(t.paymentId, t.parcelId),
    // one after the other: the provider's word then tells which of them is done
    uniqueIndex('captures_pending')
      .on(t.paymentId)
      .where(sql`${t.status} = 'pending'`),
  ],
)

export type CaptureRow = typeof captures.$inferSelect

export const refundStatuses = ['pending', 'done', 'failed'] as const

export const refunds = schema.table(
  'refunds',
  {
    id: uuid().primaryKey(),
    paymentId: uuid('payment_id')
      .notNull()
      .references(() => payments.id),
    amount: integer().notNull(),
    reason: text().notNull(),
    status: text().$type<(typeof refundStatuses)[number]>().notNull(),
    /** The request that began the refund, so that a retry resumes it. Null once the refund has failed. */
    caller: text(),
    key: text(),
    hash: text(),
    /** Who asked for the refund. Null if an earlier version began it. */
    actor: text().$type<Actor>(),
    at: time('at').notNull().defaultNow(),
  },
  (t) => [index().on(t.paymentId), uniqueIndex('refunds_pending').on(t.caller, t.key)],
)

export type RefundRow = typeof refunds.$inferSelect

export const claimedCustomers = claimedCustomersTable(schema)
export const idempotencyKeys = idempotencyTable(schema)
export const endedSessions = endedSessionsTable(schema)
export const requestCounts = requestCountsTable(schema)

export const Payment = z
  .object({
    id: Id,
    orderId: Id,
    customerId: Id,
    status: z.enum(statuses),
    amount: Money,
    captured: Amount.meta({ description: 'In minor units of the amount’s currency.' }),
    refunded: Amount.meta({ description: 'Of what was captured.' }),
    refunding: Amount.meta({ description: 'Of refunds that the provider has not yet confirmed.' }),
    reason: z.string().nullable().meta({ description: 'Why it was declined, or not captured.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'Payment' })
export type Payment = z.infer<typeof Payment>

export const NewRefund = z
  .strictObject({
    amount: z.int().min(1).max(1_000_000_000).optional().meta({
      description: 'In minor units of the payment’s currency; everything that is left if not given.',
    }),
    reason: Text(500),
  })
  .meta({ id: 'NewRefund' })
export type NewRefund = z.infer<typeof NewRefund>

export const Refund = z
  .object({
    id: Id,
    paymentId: Id,
    amount: Money,
    reason: z.string(),
    status: z.enum(refundStatuses),
    at: Timestamp,
  })
  .meta({ id: 'Refund' })
export type Refund = z.infer<typeof Refund>

/** Converts a row to the API's payment. */
export const toPayment = (row: PaymentRow & { customerId: string }): Payment => ({
  id: row.id,
  orderId: row.orderId,
  customerId: row.customerId,
  status: row.status,
  amount: { amount: row.amount, currency: row.currency },
  captured: row.captured,
  refunded: row.refunded,
  refunding: row.refunding,
  reason: row.reason,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})

/** Returns whether the row is a real payment, and not one that only blocks payment of a cancelled order. */
export const isPayment = (row: PaymentRow | undefined): row is PaymentRow & { customerId: string } =>
  row !== undefined && row.customerId !== null

/** Returns what the security log says of a refund. */
export const refundDetails = ({ id, paymentId, amount }: RefundRow, currency: string) => ({
  payment: paymentId,
  refund: id,
  amount,
  currency,
})
export const toRefund = (row: RefundRow, currency: string): Refund => ({
  id: row.id,
  paymentId: row.paymentId,
  amount: { amount: row.amount, currency },
  reason: row.reason,
  status: row.status,
  at: row.at.toISOString(),
})
