import * as z from 'zod'
import { sql } from 'drizzle-orm'
import {
  boolean,
  index,
  integer,
  jsonb,
  pgSchema,
  primaryKey,
  text,
  uuid,
  type AnyPgColumn,
} from 'drizzle-orm/pg-core'
import { InvalidEvent, type EventData } from '../../events/event.ts'
import type { Actor } from '../shared/auth/actor.ts'
import { ActorSchema, toActor } from '../shared/schemas/actor.ts'
import { noteAdded, visibilities } from './note.ts'
import { shortageStates, type Shortage } from './shortage.ts'
import { time } from '../shared/store/columns.ts'
import { requestCountsTable } from '../shared/store/counts-table.ts'
import { claimedCustomersTable } from '../shared/store/claimed-customers-table.ts'
import { endedSessionsTable } from '../shared/store/ended-sessions-table.ts'
import { idempotencyTable } from '../shared/store/idempotency-table.ts'
import { onShortages, type OnShortage } from '../shared/schemas/on-shortage.ts'
import { orderFields } from '../shared/schemas/order-fields.ts'
import { Address, Amount, Currency, Id, Money, Quantity, Sku, Timestamp } from '../shared/schemas/schemas.ts'
import { taxedFields as taxed } from '../shared/schemas/taxed.ts'
import type { TaxClass } from '../shared/schemas/tax-class.ts'
import { priceKinds } from './price-kinds.ts'

/**
 * Orders: tables, schemas and the state machine. Everything here is pure.
 *
 *   placed ──► reserved ──► confirmed ──► shipped ──► completed
 *      └──────────┴────────────┴─────────────┴──────► cancelled
 *
 * An order is shipped once its first parcel is, or once it is shipped as a whole. One of which a part is missing stays
 * placed while its customer decides, and while it waits for the rest; shortage.ts has what it then waits for.
 */

export const statuses = ['placed', 'reserved', 'confirmed', 'shipped', 'completed', 'cancelled'] as const
export type OrderStatus = (typeof statuses)[number]

/** What can happen to an order, caused by people or by events of other domains. */
export type OrderEvent =
  'reserve' | 'confirm' | 'ship' | 'complete' | 'cancel' | 'cancel-rest' | 'recall' | 'expire'

const transitions: Record<OrderStatus, Partial<Record<OrderEvent, OrderStatus>>> = {
  // payment.authorized may arrive before stock.reserved: different reactions handle them
  placed: { reserve: 'reserved', confirm: 'confirmed', cancel: 'cancelled', expire: 'cancelled' },
  reserved: { confirm: 'confirmed', cancel: 'cancelled', expire: 'cancelled' },
  confirmed: { ship: 'shipped', cancel: 'cancelled', expire: 'cancelled' },
  // `recall`: the payment could not be captured, so the parcel is recalled
  shipped: { complete: 'completed', recall: 'cancelled', 'cancel-rest': 'cancelled' },
  completed: {},
  cancelled: {},
}

/** Returns the status after an event, or undefined if the status does not allow the event. */
export const next = (status: OrderStatus, event: OrderEvent): OrderStatus | undefined =>
  transitions[status][event]

export const isEnded = (status: OrderStatus) => Object.keys(transitions[status]).length === 0

/** The statuses of an order that has ended, and of one that has not. */
export const ended = statuses.filter(isEnded)
export const underWay = statuses.filter((status) => !isEnded(status))

/** The statuses of an order for which no payment is authorised yet. */
export const unconfirmed: OrderStatus[] = ['placed', 'reserved']

/** How long a confirmed order may wait for shipment, in ms: as long as a payment authorisation is valid. */
export const shipWithinMs = 7 * 24 * 60 * 60 * 1000

/** What an order must reach before a deadline. */
export type Milestone = EventData<'order.deadline-reached'>['milestone']

const missed: Record<Milestone, { waiting: OrderStatus[]; reason: string }> = {
  confirmation: { waiting: unconfirmed, reason: 'took too long' },
  shipment: { waiting: ['confirmed'], reason: 'not shipped in time' },
}

const neverEnded: Record<Shortage['state'], string> = {
  undecided: 'not decided in time',
  backordered: 'not enough stock in time',
  dropped: missed.confirmation.reason,
}

/**
 * Returns why an order is cancelled at the deadline for a milestone. Returns undefined if it has reached the
 * milestone or has ended, or if a shortage gives it more time: then a later deadline follows.
 */
export function missedBy(
  { status, shortage }: Pick<OrderRow, 'status' | 'shortage'>,
  milestone: Milestone,
  now: Date,
): string | undefined {
  const { waiting, reason } = missed[milestone]
  if (!waiting.includes(status)) return undefined
  if (milestone !== 'confirmation' || shortage === null) return reason
  if (now < new Date(shortage.until)) return undefined
  return status === 'placed' ? neverEnded[shortage.state] : reason
}

export const schema = pgSchema('orders')

/** The constraint that a second order from a cart violates. */
export const orderedCartConstraint = 'ordered_carts_pkey'

/** Orders that hold stock, or soon will, without a payment. One that costs nothing does so until it is shipped. */
const isUnpaid = ({ status, totalAmount }: Record<'status' | 'totalAmount', AnyPgColumn>) =>
  sql`${status} in ('placed', 'reserved') or (${status} = 'confirmed' and ${totalAmount} = 0)`

export const orders = schema.table(
  'orders',
  {
    id: uuid().primaryKey(),
    customerId: uuid('customer_id').notNull(),
    status: text().$type<OrderStatus>().notNull(),
    lines: jsonb().$type<OrderLine[]>().notNull(),
    totalAmount: integer('total_amount').notNull(),
    /** How the total comes about; null for an order of an earlier version, whose lines do not tell it either. */
    amounts: jsonb().$type<OrderAmounts>(),
    /** The sum of the quantities. */
    pieces: integer().notNull().default(0),
    currency: text().notNull(),
    onShortage: text('on_shortage').$type<OnShortage>().notNull().default('cancel'),
    /** What is missing of the order, or was left out of it; null if all was there. */
    shortage: jsonb().$type<Shortage>(),
    /** Null once the order has ended and its customer is deleted. */
    deliveryAddress: jsonb('delivery_address').$type<Address>(),
    note: text(),
    reason: text(),
    version: integer().notNull().default(1),
    /** The number of timeline entries. */
    entries: integer().notNull().default(1),
    placedAt: time('placed_at').notNull().defaultNow(),
    updatedAt: time('updated_at').notNull().defaultNow(),
    /** The trace context in which it was placed, which the traces of later steps are linked to. */
    traceparent: text(),
    /** Unused: deadlines are events. Older versions write it, so only a breaking migration may drop it. */
    deadline: time('deadline'),
  },
  (t) => [
    index().on(t.customerId, t.id),
    index().on(t.status, t.id),
    index('orders_unpaid').on(t.customerId, t.pieces).where(isUnpaid(t)),
  ],
)

export type OrderRow = typeof orders.$inferSelect

/** What happened to each order, in sequence. Append-only. */
export const timeline = schema.table(
  'timeline',
  {
    orderId: uuid('order_id').notNull(),
    seq: integer().notNull(),
    type: text().notNull(),
    detail: text(),
    /** Instead of the detail: what only staff see. A column of its own, so that older versions show it to nobody. */
    staffNote: text('staff_note'),
    /** Who did it. Entries of earlier versions do not say. */
    actor: text().$type<Actor>(),
    status: text().$type<OrderStatus>().notNull(),
    at: time('at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.orderId, t.seq] })],
)

export type TimelineRow = typeof timeline.$inferSelect

/** The parcels that were shipped of each order, as far as they were heard of. */
export const parcels = schema.table(
  'parcels',
  {
    id: uuid().primaryKey(),
    orderId: uuid('order_id').notNull(),
    /** What is in it; null until it is heard that it was shipped. */
    items: jsonb().$type<ParcelItem[]>(),
    /** Whether what it costs is captured, which may be heard before. */
    isCaptured: boolean('is_captured').notNull().default(false),
  },
  (t) => [index().on(t.orderId)],
)

export type ParcelRow = typeof parcels.$inferSelect

export interface ParcelItem {
  sku: string
  quantity: number
}

/** A projection of the products, from which orders are priced. */
export const products = schema.table('products', {
  sku: text().primaryKey(),
  productId: uuid('product_id').notNull(),
  name: text().notNull(),
  priceAmount: integer('price_amount').notNull(),
  currency: text().notNull(),
  weightGrams: integer('weight_grams').notNull().default(0),
  taxClass: text('tax_class').$type<TaxClass>().notNull().default('standard'),
  version: integer().notNull(),
  deletedAt: time('deleted_at'),
})

/** The carts from which an order was made: none is made from the same cart again. */
export const orderedCarts = schema.table(
  'ordered_carts',
  { cartId: uuid('cart_id').notNull(), orderId: uuid('order_id').notNull() },
  (t) => [primaryKey({ name: orderedCartConstraint, columns: [t.cartId] })],
)

/** Customers whose accounts are deleted. Their orders are anonymised when they end (forget.ts). */
export const deletedCustomers = schema.table('deleted_customers', {
  id: uuid().primaryKey(),
  at: time('at').notNull().defaultNow(),
})

export const claimedCustomers = claimedCustomersTable(schema)
export const idempotencyKeys = idempotencyTable(schema)
export const endedSessions = endedSessionsTable(schema)
export const requestCounts = requestCountsTable(schema)

export const OrderLine = z
  .object({
    sku: Sku,
    name: z.string(),
    quantity: Quantity,
    unitPrice: z.int(),
    ...z.object({ discount: Amount, ...taxed }).partial().shape,
  })
  .meta({
    id: 'OrderLine',
    description:
      'Amounts are in minor units of the order’s currency. An order of an earlier version tells only its unit prices.',
  })
export type OrderLine = z.infer<typeof OrderLine>

export const OrderAmounts = z
  .object({
    prices: z.enum(priceKinds).meta({ description: 'Whether unit prices include tax.' }),
    discount: Amount.meta({ description: 'What the coupons take off, as the sum of the lines’ discounts.' }),
    net: Amount.meta({ description: 'All lines and the shipping, without tax.' }),
    tax: Amount,
    gross: Amount.meta({ description: 'What the customer pays: the total.' }),
    shipping: z.object({ method: z.string(), name: z.string(), ...taxed }),
    taxes: z.array(z.object({ taxRate: taxed.taxRate, net: Amount, tax: Amount })).meta({
      description: 'The tax of each rate, highest first.',
    }),
    coupons: z.array(z.object({ code: z.string(), discount: Amount })),
  })
  .meta({ id: 'OrderAmounts', description: 'In minor units of the order’s currency.' })
export type OrderAmounts = z.infer<typeof OrderAmounts>

const OrderShortage = z
  .object({
    state: z.enum(shortageStates).meta({
      description:
        'Whether the customer must decide what becomes of the order (`undecided`), it waits for what is missing (`backordered`), or what was missing was left out (`dropped`).',
    }),
    missing: z.array(z.object({ sku: Sku, quantity: Quantity })),
    until: Timestamp.nullable().meta({
      description: 'When the order is cancelled if nothing is decided, or if what is missing has not come.',
    }),
  })
  .meta({ id: 'OrderShortage' })

export const Order = z
  .object({
    id: Id,
    customerId: Id,
    status: z.enum(statuses),
    lines: z.array(OrderLine),
    total: Money,
    amounts: z
      .union([OrderAmounts, z.null()])
      .meta({ description: 'How the total comes about. Null for an order of an earlier version.' }),
    onShortage: z.enum(onShortages),
    shortage: z
      .union([OrderShortage, z.null()])
      .meta({ description: 'What is missing of the order, or was left out of it. Null if all is there.' }),
    deliveryAddress: z.union([Address, z.null()]).meta({
      description: 'Null once the order has ended and the account of its customer is deleted.',
    }),
    note: z.string().nullable(),
    reason: z.string().nullable().meta({ description: 'Why it was cancelled.' }),
    placedAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'Order' })
export type Order = z.infer<typeof Order>

export const NewOrder = z
  .strictObject({
    lines: z
      .array(
        z.strictObject({
          sku: Sku,
          quantity: Quantity,
          unitPrice: Amount.optional().meta({
            description:
              'The price that the customer saw, in minor units. The order is refused if it has changed.',
          }),
        }),
      )
      .min(1)
      .max(100),
    ...orderFields,
    customerId: Id.optional().meta({
      description: 'For staff: whom they order for; see /customers. By default, an order is for the caller.',
    }),
    currency: Currency.optional().meta({
      description: 'The order is rejected if the products have another currency.',
    }),
    cartId: Id.optional().meta({
      description: 'Of the cart that the order is made from, if it is a checkout: the cart is emptied then.',
    }),
  })
  .meta({ id: 'NewOrder' })

export const TimelineEntry = z
  .object({
    seq: z.int(),
    type: z.string(),
    detail: z.string().nullable(),
    actor: ActorSchema.nullable().meta({ description: 'Who did it; null if it was not recorded.' }),
    status: z.enum(statuses),
    visibility: z
      .enum(visibilities)
      .optional()
      .meta({ description: 'Of a note: whether the customer sees it, too, or only staff.' }),
    at: Timestamp,
  })
  .meta({ id: 'TimelineEntry' })

/** Converts a row to the API's order. */
export const toOrder = (row: OrderRow): Order => ({
  id: row.id,
  customerId: row.customerId,
  status: row.status,
  lines: row.lines,
  total: { amount: row.totalAmount, currency: row.currency },
  amounts: row.amounts,
  onShortage: row.onShortage,
  shortage: shownShortage(row),
  deliveryAddress: row.deliveryAddress,
  note: row.note,
  reason: row.reason,
  placedAt: row.placedAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})

/** What was left out stays so. What the order has waited for is of no concern once it has come, or the order is cancelled. */
function shownShortage({ status, shortage }: OrderRow): Order['shortage'] {
  if (shortage === null) return null
  const { state, missing, until } = shortage
  if (state === 'dropped') return { state, missing, until: null }
  return status === 'placed' ? { state, missing, until } : null
}

/**
 * Checks that a payment is of an order's total.
 * @throws InvalidEvent if it is of another amount or currency, so that the order does not go on without its price
 */
export function checkPaid(order: Pick<OrderRow, 'id' | 'totalAmount' | 'currency'>, paid: Money): void {
  if (paid.amount === order.totalAmount && paid.currency === order.currency) return
  throw new InvalidEvent(
    `${paid.amount} ${paid.currency} were paid for order ${order.id}, which costs ${order.totalAmount} ${order.currency}`,
  )
}

/** Converts a timeline row to the API's timeline entry. */
export const toEntry = ({
  seq,
  type,
  detail,
  staffNote,
  actor,
  status,
  at,
}: TimelineRow): z.infer<typeof TimelineEntry> => ({
  seq,
  type,
  // empty once it is forgotten
  detail: detail ?? (staffNote || null),
  actor: actor && toActor(actor),
  status,
  ...(type === noteAdded && { visibility: staffNote === null ? ('customer' as const) : ('staff' as const) }),
  at: at.toISOString(),
})
