import * as z from 'zod'
import { sql } from 'drizzle-orm'
import {
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
import { time } from '../shared/store/columns.ts'
import { requestCountsTable } from '../shared/store/counts-table.ts'
import { endedSessionsTable } from '../shared/store/ended-sessions-table.ts'
import { idempotencyTable } from '../shared/store/idempotency-table.ts'
import { CardToken } from '../shared/schemas/card-token.ts'
import { formatMoney } from '../shared/schemas/money.ts'
import {
  Address,
  Amount,
  Currency,
  Id,
  Money,
  Quantity,
  Sku,
  text as Text,
  Timestamp,
} from '../shared/schemas/schemas.ts'

/**
 * Orders: tables, schemas and the state machine. Everything here is pure.
 *
 *   placed ──► reserved ──► confirmed ──► shipped ──► completed
 *      └──────────┴────────────┴─────────────┴──────► cancelled
 */

export const statuses = ['placed', 'reserved', 'confirmed', 'shipped', 'completed', 'cancelled'] as const
export type OrderStatus = (typeof statuses)[number]

/** What can happen to an order, caused by people or by events of other domains. */
export type OrderEvent = 'reserve' | 'confirm' | 'ship' | 'complete' | 'cancel' | 'recall' | 'expire'

const transitions: Record<OrderStatus, Partial<Record<OrderEvent, OrderStatus>>> = {
  // payment.authorized may arrive before stock.reserved: different reactions handle them
  placed: { reserve: 'reserved', confirm: 'confirmed', cancel: 'cancelled', expire: 'cancelled' },
  reserved: { confirm: 'confirmed', cancel: 'cancelled', expire: 'cancelled' },
  confirmed: { ship: 'shipped', cancel: 'cancelled', expire: 'cancelled' },
  // `recall`: the payment could not be captured, so the parcel is recalled
  shipped: { complete: 'completed', recall: 'cancelled' },
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

/**
 * Returns why an order is cancelled at the deadline for a milestone. Returns undefined if it has reached the
 * milestone or has ended.
 */
export const missedBy = (status: OrderStatus, milestone: Milestone): string | undefined =>
  missed[milestone].waiting.includes(status) ? missed[milestone].reason : undefined

export const schema = pgSchema('orders')

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
    /** The sum of the quantities. */
    pieces: integer().notNull().default(0),
    currency: text().notNull(),
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
    /** Who did it. Entries of earlier versions do not say. */
    actor: text().$type<Actor>(),
    status: text().$type<OrderStatus>().notNull(),
    at: time('at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.orderId, t.seq] })],
)

/** A projection of the products, from which orders are priced. */
export const products = schema.table('products', {
  sku: text().primaryKey(),
  productId: uuid('product_id').notNull(),
  name: text().notNull(),
  priceAmount: integer('price_amount').notNull(),
  currency: text().notNull(),
  version: integer().notNull(),
  deletedAt: time('deleted_at'),
})

/** Customers whose accounts are deleted. Their orders are anonymised when they end (forget.ts). */
export const deletedCustomers = schema.table('deleted_customers', {
  id: uuid().primaryKey(),
  at: time('at').notNull().defaultNow(),
})

/** Customers without an account whose records were claimed, and the users whose they are now. */
export const claimedCustomers = schema.table('claimed_customers', {
  id: uuid().primaryKey(),
  userId: uuid('user_id').notNull(),
  at: time('at').notNull().defaultNow(),
})

export const idempotencyKeys = idempotencyTable(schema)
export const endedSessions = endedSessionsTable(schema)
export const requestCounts = requestCountsTable(schema)

export const OrderLine = z
  .object({ sku: Sku, name: z.string(), quantity: Quantity, unitPrice: z.int() })
  .meta({ id: 'OrderLine' })
export type OrderLine = z.infer<typeof OrderLine>

export const Order = z
  .object({
    id: Id,
    customerId: Id,
    status: z.enum(statuses),
    lines: z.array(OrderLine),
    total: Money,
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
    expectedTotal: Money.optional().meta({
      description: 'The total that the customer saw. The order is refused if it would cost something else.',
    }),
    deliveryAddress: Address,
    note: Text(1000).optional(),
    payment: z.strictObject({
      cardToken: CardToken.meta({
        description: 'A token of the payment provider; see docs/payment-sandbox.md for the test cards.',
        example: 'card_approved',
      }),
    }),
    customerId: Id.optional().meta({
      description: 'For staff: whom they order for; see /customers. By default, an order is for the caller.',
    }),
    currency: Currency.optional().meta({
      description: 'The order is rejected if the products have another currency.',
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
  deliveryAddress: row.deliveryAddress,
  note: row.note,
  reason: row.reason,
  placedAt: row.placedAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})

/** The product fields that pricing needs. */
export interface Price {
  sku: string
  name: string
  priceAmount: number
  currency: string
}

/** What the customer asked for, and what they expect it to cost. */
export interface Wanted {
  lines: readonly { sku: string; quantity: number; unitPrice?: number | undefined }[]
  /** If it is set, the products must have this currency. */
  currency?: string | undefined
  expectedTotal?: Money | undefined
}

interface Refusal {
  refused: 'unknown-sku' | 'mixed-currencies' | 'order-too-large' | 'price-changed'
  detail: string
  errors: { pointer: string; detail: string }[]
  /** What it would cost now, if that is not what the customer expects. */
  current?: { lines: { sku: string; unitPrice: number }[]; total: Money }
}

export type Priced = { lines: OrderLine[]; total: Money } | Refusal

/** Returns how many pieces an order has. */
export const piecesOf = (lines: readonly { quantity: number }[]) =>
  lines.reduce((sum, { quantity }) => sum + quantity, 0)

/** The largest total of one order, in minor units. */
const maxTotal = 1_000_000_000

/**
 * Prices the lines of a new order, in the sequence of the request. Several lines may have the same SKU.
 * @returns the priced lines and their total, or why the order is rejected
 */
export function priceLines(wanted: Wanted, prices: ReadonlyMap<string, Price>): Priced {
  const lines: OrderLine[] = []
  const currencies = new Set<string>(wanted.currency === undefined ? [] : [wanted.currency])
  for (const [i, { sku, quantity }] of wanted.lines.entries()) {
    const price = prices.get(sku)
    if (price === undefined)
      return refuse('unknown-sku', `/body/lines/${i}/sku`, `There is no product ${sku}.`)
    currencies.add(price.currency)
    if (currencies.size > 1)
      return refuse(
        'mixed-currencies',
        `/body/lines/${i}/sku`,
        `An order is in one currency, and this would be in ${[...currencies].join(' and ')}.`,
      )
    lines.push({ sku, name: price.name, quantity, unitPrice: price.priceAmount })
  }
  const amount = lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0)
  if (amount > maxTotal)
    return refuse('order-too-large', '/body/lines', `One order is at most ${maxTotal} minor units.`)
  const total = { amount, currency: [...currencies][0]! }
  return otherThanExpected(wanted, lines, total) ?? { lines, total }
}

const refuse = (refused: Refusal['refused'], pointer: string, detail: string): Refusal => ({
  refused,
  detail,
  errors: [{ pointer, detail }],
})

/** Returns the refusal of an order that would cost something else than the customer expects. */
function otherThanExpected(
  { lines: wanted, expectedTotal }: Wanted,
  lines: OrderLine[],
  total: Money,
): Refusal | undefined {
  const inMoney = (amount: number) => formatMoney({ amount, currency: total.currency })
  const errors = wanted.flatMap(({ sku, unitPrice }, i) => {
    const now = lines[i]!.unitPrice
    if (unitPrice === undefined || unitPrice === now) return []
    return [{ pointer: `/body/lines/${i}/unitPrice`, detail: `${sku} costs ${inMoney(now)} now` }]
  })
  if (
    expectedTotal !== undefined &&
    (expectedTotal.amount !== total.amount || expectedTotal.currency !== total.currency)
  )
    errors.push({ pointer: '/body/expectedTotal', detail: `the total is ${inMoney(total.amount)} now` })
  if (errors.length === 0) return undefined
  return {
    refused: 'price-changed',
    detail: `The order would cost ${inMoney(total.amount)}. Show the customer the current prices and send those.`,
    errors,
    current: { lines: lines.map(({ sku, unitPrice }) => ({ sku, unitPrice })), total },
  }
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
  actor,
  status,
  at,
}: typeof timeline.$inferSelect): z.infer<typeof TimelineEntry> => ({
  seq,
  type,
  detail,
  actor: actor && toActor(actor),
  status,
  at: at.toISOString(),
})
