import * as z from 'zod'
import { sql } from 'drizzle-orm'
import { boolean, check, index, integer, jsonb, pgSchema, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import type { EventData } from '../../events/event.ts'
import { Amount, Id, isVisible, Quantity, Sku, Timestamp } from '../shared/schemas/schemas.ts'
import { time } from '../shared/store/columns.ts'
import { requestCountsTable } from '../shared/store/counts-table.ts'
import { claimedCustomersTable } from '../shared/store/claimed-customers-table.ts'
import { endedSessionsTable } from '../shared/store/ended-sessions-table.ts'
import { idempotencyTable } from '../shared/store/idempotency-table.ts'
import { failureReasons } from './failure-reasons.ts'
import { isOut, parcelStatuses, type ParcelStatus } from './parcel.ts'
import type { Part } from './parts.ts'

/**
 * Shipments: tables, schemas and the state machine. There is one for each order, with the order's id. Everything here
 * is pure.
 *
 *   placed ─────► waiting ◄──► taken ──► packed ──► shipped
 *   confirmed ──────▲ ▲────────────────────┘
 *
 *   Each but `shipped` may also become `shipped` at once, if the order is shipped as a whole; each may become
 *   `cancelled` with its order.
 */

export const statuses = ['placed', 'confirmed', 'waiting', 'taken', 'packed', 'shipped', 'cancelled'] as const
export type ShipmentStatus = (typeof statuses)[number]

/** What can happen to a shipment. `finish`: everything is packed or, of what is packed, shipped. */
export type ShipmentEvent =
  'place' | 'confirm' | 'take' | 'release' | 'pack-all' | 'unpack' | 'ship-all' | 'close' | 'cancel'

const transitions: Record<ShipmentStatus, Partial<Record<ShipmentEvent, ShipmentStatus>>> = {
  // it waits in the queue once its order is confirmed
  placed: { confirm: 'waiting', close: 'shipped', cancel: 'cancelled' },
  // that the order is confirmed may be heard before what is in it
  confirmed: { place: 'waiting', close: 'shipped', cancel: 'cancelled' },
  waiting: { take: 'taken', unpack: 'waiting', close: 'shipped', cancel: 'cancelled' },
  taken: {
    take: 'taken',
    release: 'waiting',
    unpack: 'taken',
    'pack-all': 'packed',
    close: 'shipped',
    cancel: 'cancelled',
  },
  packed: { unpack: 'waiting', 'ship-all': 'shipped', close: 'shipped', cancel: 'cancelled' },
  // what could not be paid is recalled
  shipped: { cancel: 'cancelled' },
  cancelled: {},
}

/** Returns the status after an event, or undefined if the status does not allow the event. */
export const next = (status: ShipmentStatus, event: ShipmentEvent): ShipmentStatus | undefined =>
  transitions[status][event]

/** The statuses in which there is something to pack or to ship. */
export const open: readonly ShipmentStatus[] = ['waiting', 'taken', 'packed']

/** Returns who is packing a shipment, if somebody is. A worker whose time is up is not, even if no event has said so. */
export const holderOf = (
  { status, workerId, takenUntil }: Pick<ShipmentRow, 'status' | 'workerId' | 'takenUntil'>,
  now: Date,
): string | undefined =>
  status === 'taken' && takenUntil !== null && takenUntil > now ? (workerId ?? undefined) : undefined

export const schema = pgSchema('shipments')

/** A line of an order, with what the customer pays for it. */
export type OrderedLine = { sku: string; quantity: number } & Part

/** What the customer pays for the shipping of the whole order. */
export type Shipping = EventData<'parcel.shipped'>['shipping'] & object

export const shipments = schema.table(
  'shipments',
  {
    /** The order's. */
    id: uuid().primaryKey(),
    /** Null until `order.placed` is heard. Then the lines are, too. */
    customerId: uuid('customer_id'),
    status: text().$type<ShipmentStatus>().notNull(),
    lines: jsonb().$type<OrderedLine[]>().notNull(),
    shipping: jsonb().$type<Shipping>(),
    currency: text(),
    /** The member of staff who packs it, and until when. */
    workerId: uuid('worker_id'),
    takenUntil: time('taken_until'),
    /** How many of its parcels were shipped. */
    shippedParcels: integer('shipped_parcels').notNull().default(0),
    version: integer().notNull().default(1),
    createdAt: time('created_at').notNull().defaultNow(),
    updatedAt: time('updated_at').notNull().defaultNow(),
  },
  (t) => [
    index().on(t.status, t.id),
    index().on(t.customerId),
    check('worker_while_taken', sql`(${t.status} = 'taken') = (${t.workerId} is not null)`),
  ],
)

export type ShipmentRow = typeof shipments.$inferSelect

/** Some pieces of a line of the order. */
export interface Packed {
  /** Which of the order's lines. */
  line: number
  sku: string
  quantity: number
}

export const parcels = schema.table(
  'parcels',
  {
    id: uuid().primaryKey(),
    shipmentId: uuid('shipment_id')
      .notNull()
      .references(() => shipments.id),
    status: text().$type<ParcelStatus>().notNull(),
    /** Counts the parcels of the order that were shipped, from 1. Null until it is. */
    number: integer(),
    packed: jsonb().$type<Packed[]>().notNull(),
    /** What the customer pays for what is in it; null until it is shipped. */
    items: jsonb().$type<OrderedLine[]>(),
    shipping: jsonb().$type<Shipping>(),
    amount: integer(),
    /** Whether nothing of the order was left when it was shipped. */
    isLast: boolean('is_last').notNull().default(false),
    carrier: text(),
    /** Null, too, once the customer is deleted and the parcel has arrived. */
    trackingNumber: text('tracking_number'),
    failure: text().$type<(typeof failureReasons)[number]>(),
    packedAt: time('packed_at').notNull().defaultNow(),
    shippedAt: time('shipped_at'),
    /** When it was delivered, failed or was recalled. */
    endedAt: time('ended_at'),
  },
  (t) => [uniqueIndex().on(t.shipmentId, t.number)],
)

export type ParcelRow = typeof parcels.$inferSelect

/** Customers whose accounts are deleted: their tracking numbers are forgotten once a parcel has arrived. */
export const deletedCustomers = schema.table('deleted_customers', {
  id: uuid().primaryKey(),
  at: time('at').notNull().defaultNow(),
})

export const claimedCustomers = claimedCustomersTable(schema)
export const idempotencyKeys = idempotencyTable(schema)
export const endedSessions = endedSessionsTable(schema)
export const requestCounts = requestCountsTable(schema)

const amounts = {
  net: Amount,
  taxRate: z.int().meta({ description: 'In hundredths of a percent: 1900 is 19 %.', example: 1900 }),
  tax: Amount,
  gross: Amount,
}

const ParcelItem = z
  .object({ sku: Sku, quantity: Quantity, ...z.object({ discount: Amount, ...amounts }).partial().shape })
  .meta({ id: 'ParcelItem', description: 'Its amounts are known once the parcel is shipped.' })

export const Parcel = z
  .object({
    id: Id,
    status: z.enum(parcelStatuses),
    number: z.int().nullable().meta({
      description: 'Counts the shipped parcels of the order, from 1; null until it is shipped.',
    }),
    items: z.array(ParcelItem),
    shipping: z
      .union([z.object(amounts).meta({ id: 'ParcelShipping' }), z.null()])
      .meta({ description: 'What the order’s shipping costs. The first parcel that is shipped has it.' }),
    amount: Amount.nullable().meta({
      description: 'What is paid for it, in minor units of the order’s currency; null until it is shipped.',
    }),
    last: z.boolean().meta({ description: 'Whether nothing of the order was left when it was shipped.' }),
    carrier: z.string().nullable(),
    trackingNumber: z.string().nullable(),
    failure: z.enum(failureReasons).nullable(),
    packedAt: Timestamp,
    shippedAt: Timestamp.nullable(),
    endedAt: Timestamp.nullable().meta({ description: 'When it was delivered, failed or was recalled.' }),
  })
  .meta({ id: 'Parcel' })
export type Parcel = z.infer<typeof Parcel>

const ShipmentLine = z
  .object({
    sku: Sku,
    quantity: Quantity,
    packed: z.int().meta({ description: 'How many of them are in parcels.' }),
    shipped: z.int().meta({ description: 'How many of them are in parcels that were shipped.' }),
  })
  .meta({ id: 'ShipmentLine' })

export const Shipment = z
  .object({
    id: Id.meta({ description: 'The order’s.' }),
    customerId: Id,
    status: z.enum(statuses),
    currency: z.string(),
    lines: z.array(ShipmentLine),
    parcels: z.array(Parcel),
    takenBy: Id.nullable().meta({ description: 'For staff: who packs it.' }),
    takenUntil: Timestamp.nullable(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'OrderShipment' })
export type Shipment = z.infer<typeof Shipment>

export const NewParcel = z
  .strictObject({
    items: z
      .array(z.strictObject({ sku: Sku, quantity: Quantity }))
      .min(1)
      .max(100),
  })
  .meta({ id: 'NewParcel' })

const carrierName = /^[\p{L}\p{N}][\p{L}\p{N} .&+-]{0,39}$/u

/** What a carrier is called, and how it names a parcel: codes, with no room for the name of a person. */
export const Dispatch = z
  .strictObject({
    carrier: z
      .string()
      .regex(carrierName, 'at most 40 letters, digits, spaces, and . & + -')
      // some letters are blank, such as the Hangul filler
      .refine(isVisible, 'needs a character that can be seen')
      // without the flag, which every pattern has in JSON Schema
      .meta({ pattern: carrierName.source }),
    trackingNumber: z
      .string()
      .regex(/^[A-Za-z0-9-]{4,40}$/, '4 to 40 letters, digits and dashes')
      .toUpperCase()
      .meta({ example: '00340434161094021501' }),
  })
  .meta({ id: 'ParcelDispatch' })

export const Failure = z.strictObject({ reason: z.enum(failureReasons) }).meta({ id: 'ParcelFailure' })

/** Converts a row to the API's parcel. */
export const toParcel = (row: ParcelRow): Parcel => ({
  id: row.id,
  status: row.status,
  number: row.number,
  items: row.items ?? row.packed.map(({ sku, quantity }) => ({ sku, quantity })),
  shipping: row.shipping,
  amount: row.amount,
  last: row.isLast,
  carrier: row.carrier,
  trackingNumber: row.trackingNumber,
  failure: row.failure,
  packedAt: row.packedAt.toISOString(),
  shippedAt: row.shippedAt?.toISOString() ?? null,
  endedAt: row.endedAt?.toISOString() ?? null,
})

/** A shipment whose order is known. */
export type KnownShipment = ShipmentRow & { customerId: string; currency: string }

/** Whether it is known what is in the order. Otherwise, the row only keeps what was heard of it before. */
export const isKnown = (row: ShipmentRow | undefined): row is KnownShipment =>
  row !== undefined && row.customerId !== null && row.currency !== null

/**
 * Converts a row to the API's shipment.
 * @param rows its parcels
 * @param forStaff whether the reader may see who packs it
 */
export function toShipment(
  row: KnownShipment,
  rows: readonly ParcelRow[],
  { forStaff, now }: { forStaff: boolean; now: Date },
): Shipment {
  const held = holderOf(row, now)
  const quantities = (which: (parcel: ParcelRow) => boolean) => packedOf(rows.filter(which))
  const [packed, shipped] = [quantities(() => true), quantities(({ status }) => isOut(status))]
  return {
    id: row.id,
    customerId: row.customerId,
    // the event that says so may be late
    status: row.status === 'taken' && held === undefined ? 'waiting' : row.status,
    currency: row.currency,
    lines: row.lines.map(({ sku, quantity }, i) => ({
      sku,
      quantity,
      packed: packed.get(i) ?? 0,
      shipped: shipped.get(i) ?? 0,
    })),
    parcels: rows.map(toParcel),
    takenBy: forStaff ? (held ?? null) : null,
    takenUntil: held === undefined ? null : row.takenUntil!.toISOString(),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

/** Returns how many pieces of each line are in parcels, by the number of the line. Recalled pieces are not. */
export function packedOf(rows: readonly Pick<ParcelRow, 'status' | 'packed'>[]): Map<number, number> {
  const quantities = new Map<number, number>()
  for (const { line, quantity } of rows.filter(counts).flatMap(({ packed }) => packed))
    quantities.set(line, (quantities.get(line) ?? 0) + quantity)
  return quantities
}

const counts = ({ status }: Pick<ParcelRow, 'status'>) => status !== 'cancelled'

/** What cannot be packed: more of a SKU than is left of it, or one that is not in the order. */
export interface NotLeft {
  index: number
  sku: string
  left: number
}

/**
 * Takes pieces from the lines of an order, of which several may have the same SKU: from the earlier ones first.
 * @param before how many pieces of each line are in parcels already
 * @returns what is packed of each line, or the first item of which not so many are left
 */
export function pack(
  lines: readonly Pick<OrderedLine, 'sku' | 'quantity'>[],
  before: ReadonlyMap<number, number>,
  items: readonly { sku: string; quantity: number }[],
): Packed[] | NotLeft {
  const packed = new Map<number, number>()
  for (const [index, { sku, quantity }] of items.entries()) {
    let wanted = quantity
    for (const [line, { sku: of, quantity: ordered }] of lines.entries()) {
      const left = ordered - (before.get(line) ?? 0) - (packed.get(line) ?? 0)
      const taken = of === sku ? Math.min(left, wanted) : 0
      if (taken > 0) packed.set(line, (packed.get(line) ?? 0) + taken)
      wanted -= taken
    }
    if (wanted > 0) return { index, sku, left: quantity - wanted }
  }
  return [...packed]
    .toSorted(([a], [b]) => a - b)
    .map(([line, quantity]) => ({ line, sku: lines[line]!.sku, quantity }))
}

/** Whether every piece of an order is in the quantities. */
export const isAll = (
  lines: readonly Pick<OrderedLine, 'quantity'>[],
  quantities: ReadonlyMap<number, number>,
) => lines.every(({ quantity }, line) => quantities.get(line) === quantity)
