import * as z from 'zod'
import { index, integer, jsonb, pgSchema, text, uuid } from 'drizzle-orm/pg-core'
import { Id, Money, Quantity, Sku, text as Text, Timestamp } from '../shared/schemas/schemas.ts'
import { taxedFields, type Taxed } from '../shared/schemas/taxed.ts'
import { time } from '../shared/store/columns.ts'
import { requestCountsTable } from '../shared/store/counts-table.ts'
import { claimedCustomersTable } from '../shared/store/claimed-customers-table.ts'
import { endedSessionsTable } from '../shared/store/ended-sessions-table.ts'
import { idempotencyTable } from '../shared/store/idempotency-table.ts'
import { reasons, refusals, type Refusal, type ReturnReason } from './reasons.ts'

/**
 * Returns: tables, schemas and the state machine. Everything here is pure.
 *
 *   requested ──► approved ──► received
 *       └────────────┴──► refused
 */

export const statuses = ['requested', 'approved', 'refused', 'received'] as const
export type ReturnStatus = (typeof statuses)[number]

export type ReturnEvent = 'approve' | 'refuse' | 'receive'

const transitions: Record<ReturnStatus, Partial<Record<ReturnEvent, ReturnStatus>>> = {
  requested: { approve: 'approved', refuse: 'refused' },
  // what is approved may never arrive
  approved: { receive: 'received', refuse: 'refused' },
  refused: {},
  received: {},
}

/** Returns the status after an event, or undefined if the status does not allow the event. */
export const next = (status: ReturnStatus, event: ReturnEvent): ReturnStatus | undefined =>
  transitions[status][event]

export const schema = pgSchema('returns')

/** What was bought of a SKU in an order, and what all pieces together cost after discounts. */
export type BoughtLine = { sku: string; quantity: number } & Taxed

/** A projection of the orders. Events come in any order, so each column may still be missing. */
export const purchases = schema.table(
  'purchases',
  {
    orderId: uuid('order_id').primaryKey(),
    customerId: uuid('customer_id'),
    currency: text(),
    /** A line for each SKU. Null also for an order of an earlier version, which does not tell what its lines cost. */
    lines: jsonb().$type<BoughtLine[]>(),
    shippedAt: time('shipped_at'),
    cancelledAt: time('cancelled_at'),
  },
  (t) => [index().on(t.customerId)],
)

export type PurchaseRow = typeof purchases.$inferSelect

export interface ReturnItem {
  sku: string
  quantity: number
  reason: ReturnReason
  /** What the customer wrote; null once the customer is deleted. */
  note: string | null
}

export type ReceivedItem = { sku: string; quantity: number; restock: boolean } & Taxed

export const returns = schema.table(
  'returns',
  {
    id: uuid().primaryKey(),
    orderId: uuid('order_id')
      .notNull()
      .references(() => purchases.orderId),
    customerId: uuid('customer_id').notNull(),
    status: text().$type<ReturnStatus>().notNull(),
    items: jsonb().$type<ReturnItem[]>().notNull(),
    received: jsonb().$type<ReceivedItem[]>(),
    refundAmount: integer('refund_amount'),
    currency: text().notNull(),
    refusal: text().$type<Refusal>(),
    version: integer().notNull().default(1),
    requestedAt: time('requested_at').notNull().defaultNow(),
    decidedAt: time('decided_at'),
    receivedAt: time('received_at'),
  },
  (t) => [index().on(t.orderId), index().on(t.customerId, t.id), index().on(t.status, t.id)],
)

export type ReturnRow = typeof returns.$inferSelect

export const claimedCustomers = claimedCustomersTable(schema)
export const idempotencyKeys = idempotencyTable(schema)
export const endedSessions = endedSessionsTable(schema)
export const requestCounts = requestCountsTable(schema)

export const Return = z
  .object({
    id: Id,
    orderId: Id,
    customerId: Id,
    status: z.enum(statuses),
    items: z.array(
      z.object({
        sku: Sku,
        quantity: Quantity,
        reason: z.enum(reasons),
        note: z.string().nullable(),
      }),
    ),
    received: z
      .array(z.object({ sku: Sku, quantity: Quantity, restock: z.boolean(), ...taxedFields }))
      .nullable()
      .meta({ description: 'What came back, and what it cost. Null until then.' }),
    refund: Money.nullable().meta({ description: 'What is refunded. Null until it came back.' }),
    refusal: z.enum(refusals).nullable().meta({ description: 'Why it was refused.' }),
    requestedAt: Timestamp,
    decidedAt: Timestamp.nullable().meta({ description: 'When it was approved, or refused.' }),
    receivedAt: Timestamp.nullable(),
  })
  .meta({ id: 'Return' })
export type Return = z.infer<typeof Return>

const isOnceEach = (items: readonly { sku: string }[]) =>
  new Set(items.map(({ sku }) => sku)).size === items.length

export const NewReturn = z
  .strictObject({
    orderId: Id,
    items: z
      .array(
        z.strictObject({
          sku: Sku,
          quantity: Quantity,
          reason: z.enum(reasons),
          note: Text(500).optional().meta({ description: 'What is wrong, in the customer’s words.' }),
        }),
      )
      .min(1)
      .max(100)
      .refine(isOnceEach, 'each SKU once'),
  })
  .meta({ id: 'NewReturn' })
export type NewReturn = z.output<typeof NewReturn>

export const NewRefusal = z.strictObject({ reason: z.enum(refusals) }).meta({ id: 'NewReturnRefusal' })

export const NewReceipt = z
  .strictObject({
    items: z
      .array(
        z.strictObject({
          sku: Sku,
          quantity: Quantity,
          restock: z
            .boolean()
            .meta({ description: 'Whether it can be sold again; otherwise it is written off.' }),
        }),
      )
      .min(1)
      .max(200)
      .meta({ description: 'What came back. A SKU may be in two items: one is restocked, one written off.' }),
  })
  .meta({ id: 'NewReturnReceipt' })
export type NewReceipt = z.output<typeof NewReceipt>

/** Converts a row to the API's return. */
export const toReturn = (row: ReturnRow): Return => ({
  id: row.id,
  orderId: row.orderId,
  customerId: row.customerId,
  status: row.status,
  // PostgreSQL does not keep the order of fields, and a repeated answer is to be the same
  items: row.items.map(({ sku, quantity, reason, note }) => ({ sku, quantity, reason, note })),
  received:
    row.received?.map(({ sku, quantity, restock, net, taxRate, tax, gross }) => ({
      sku,
      quantity,
      restock,
      net,
      taxRate,
      tax,
      gross,
    })) ?? null,
  refund: row.refundAmount === null ? null : { amount: row.refundAmount, currency: row.currency },
  refusal: row.refusal,
  requestedAt: row.requestedAt.toISOString(),
  decidedAt: row.decidedAt?.toISOString() ?? null,
  receivedAt: row.receivedAt?.toISOString() ?? null,
})
