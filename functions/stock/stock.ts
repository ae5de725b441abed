import * as z from 'zod'
import { sql } from 'drizzle-orm'
import { bigint, check, index, integer, jsonb, pgSchema, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { time } from '../shared/store/columns.ts'
import { requestCountsTable } from '../shared/store/counts-table.ts'
import { endedSessionsTable } from '../shared/store/ended-sessions-table.ts'
import { idempotencyTable } from '../shared/store/idempotency-table.ts'
import { changeOf, Id, Sku, text as Text, Timestamp, when, type Money } from '../shared/schemas/schemas.ts'
import { availabilities, availabilityOf, type Availability } from './availability.ts'

/** Stock: tables, schemas and rules. Everything here is pure. */

export const schema = pgSchema('stock')

const count = (name: string) => bigint(name, { mode: 'number' }).notNull().default(0)

/** The account of each SKU. Everything received and not written off is available, reserved or sold. */
export const items = schema.table(
  'items',
  {
    sku: text().primaryKey(),
    sellerId: uuid('seller_id').notNull(),
    available: count('available'),
    reserved: count('reserved'),
    sold: count('sold'),
    received: count('received'),
    /** At how many available pieces or fewer the SKU is low; the setting if null. */
    threshold: integer(),
    /** What was announced last. It may lag behind: after a change of the setting, until the SKU changes. */
    availability: text().$type<Availability>().notNull().default('unavailable'),
    version: integer().notNull().default(1),
    updatedAt: time('updated_at').notNull().defaultNow(),
  },
  (t) => [
    check('available_not_negative', sql`${t.available} >= 0`),
    check('reserved_not_negative', sql`${t.reserved} >= 0`),
    check('nothing_lost', sql`${t.available} + ${t.reserved} + ${t.sold} = ${t.received}`),
  ],
)

export type ItemRow = typeof items.$inferSelect

const reasons = ['received', 'returned', 'damaged', 'lost', 'correction'] as const
export type Reason = (typeof reasons)[number]

/** Changes to the stock that orders did not cause, with their reasons. Append-only. */
export const adjustments = schema.table(
  'adjustments',
  {
    id: uuid().primaryKey(),
    sku: text().notNull(),
    quantity: integer().notNull(),
    reason: text().$type<Reason>().notNull(),
    note: text(),
    userId: uuid('user_id').notNull(),
    at: time('at').notNull().defaultNow(),
  },
  (t) => [index().on(t.sku, t.id)],
)

/** Each order has one reservation, which is committed or released once. */
export const reservations = schema.table('reservations', {
  orderId: uuid('order_id').primaryKey(),
  /** `released` without lines means that nothing was reserved, and nothing can be. */
  state: text().$type<'reserved' | 'released' | 'committed'>().notNull(),
  lines: jsonb().$type<Line[]>().notNull(),
  /** What the order waits for, or has waited for; what it got of that is in the lines of its backorder until it ends. */
  backordered: jsonb().$type<Line[]>(),
  at: time('at').notNull().defaultNow(),
})

/** Orders that wait for what is missing, and what is told once all of it is there. */
export const backorders = schema.table('backorders', {
  orderId: uuid('order_id').primaryKey(),
  customerId: uuid('customer_id').notNull(),
  total: jsonb().$type<Money>().notNull(),
  /** How many of its lines are not filled yet. */
  unfilled: integer().notNull(),
  at: time('at').notNull().defaultNow(),
})

/**
 * What each of them waits for, and what it got. A line changes only while the account of its SKU is locked. Orders' ids
 * rise with the time at which they were placed, so the key is the order in which they are served.
 */
export const backorderLines = schema.table(
  'backorder_lines',
  {
    sku: text().notNull(),
    orderId: uuid('order_id').notNull(),
    quantity: integer().notNull(),
    filled: integer().notNull().default(0),
  },
  (t) => [
    primaryKey({ columns: [t.sku, t.orderId] }),
    index('backorder_lines_of_order').on(t.orderId),
    index('backorder_lines_unfilled')
      .on(t.sku, t.orderId)
      .where(sql`${t.filled} < ${t.quantity}`),
    check('filled_no_more_than_missing', sql`${t.filled} between 0 and ${t.quantity}`),
  ],
)

export const orderMovements = ['reserved', 'released', 'sold', 'returned'] as const

/** What orders did to the stock of each SKU. Append-only. Its key is the order in which the history is read. */
export const movements = schema.table(
  'movements',
  {
    sku: text().notNull(),
    id: uuid().notNull(),
    quantity: integer().notNull(),
    kind: text().$type<(typeof orderMovements)[number]>().notNull(),
    orderId: uuid('order_id').notNull(),
    at: time('at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.sku, t.id] })],
)

export const idempotencyKeys = idempotencyTable(schema)
export const endedSessions = endedSessionsTable(schema)
export const requestCounts = requestCountsTable(schema)

export const SkuParam = z.object({ sku: Sku })

export const Stock = z
  .object({
    sku: Sku,
    available: z.int().min(0),
    reserved: z.int().min(0).meta({ description: 'For orders that are not completed yet.' }),
    sold: z.int().min(0),
    received: z.int().min(0).meta({ description: 'Without what was written off.' }),
    threshold: z.int().min(0).meta({ description: 'At how many available pieces or fewer it is low.' }),
    availability: z.enum(availabilities),
    updatedAt: Timestamp,
  })
  .meta({ id: 'Stock' })
export type Stock = z.infer<typeof Stock>

const maxQuantity = 1_000_000

export const StockPatch = changeOf(
  {
    threshold: z.int().min(0).max(maxQuantity).nullable().optional().meta({
      description: 'At how many available pieces or fewer the SKU is low; null for the shop’s own.',
    }),
  },
  'StockPatch',
)

const signs: Partial<Record<Reason, 1 | -1>> = { received: 1, damaged: -1, lost: -1 }

/** Returns the schema of adjustments whose reason has a sign. */
const withSign = (sign: 1 | -1) => ({
  properties: { reason: { enum: reasons.filter((reason) => signs[reason] === sign) } },
})

export const NewAdjustment = z
  .strictObject({
    quantity: z
      .int()
      .min(-maxQuantity)
      .max(maxQuantity)
      .refine((quantity) => quantity !== 0, 'not zero')
      .meta({
        description: 'The change of the stock; negative to reduce it.',
        not: { const: 0 },
        example: 20,
      }),
    reason: z.enum(reasons),
    note: Text(500).optional(),
  })
  .refine(({ quantity, reason }) => quantity * (signs[reason] ?? quantity) >= 0, {
    path: ['quantity'],
    message: 'positive where stock is received, negative where it is damaged or lost',
  })
  .meta({
    id: 'NewStockAdjustment',
    ...when(withSign(1), { properties: { quantity: { minimum: 1 } } }),
    else: when(withSign(-1), { properties: { quantity: { maximum: -1 } } }),
  })

/** A line of many adjustments. */
export const StockLine = NewAdjustment.safeExtend({ sku: Sku }).meta({ id: 'StockAdjustmentLine' })
export type StockLine = z.output<typeof StockLine>

export const Adjustment = z
  .object({
    id: Id,
    sku: Sku,
    quantity: z.int(),
    reason: z.enum(reasons),
    note: z.string().nullable(),
    userId: Id,
    at: Timestamp,
  })
  .meta({ id: 'StockAdjustment' })

export const Movement = z
  .object({
    id: Id,
    type: z.enum(['adjusted', ...orderMovements]),
    quantity: z.int().meta({
      description:
        'By how much an adjustment changed the stock; how much an order reserved, released or bought, or how much came back to be sold again.',
    }),
    at: Timestamp,
    orderId: Id.optional().meta({ description: 'The order, if one did it.' }),
    userId: Id.optional().meta({ description: 'Who adjusted it.' }),
    reason: z.enum(reasons).optional(),
    note: z.string().optional(),
  })
  .meta({ id: 'StockMovement' })

/**
 * Converts a row to the API's stock.
 * @param lowAt the threshold of SKUs that have none of their own
 */
export const toStock = (item: ItemRow, lowAt: number): Stock => ({
  sku: item.sku,
  available: item.available,
  reserved: item.reserved,
  sold: item.sold,
  received: item.received,
  threshold: item.threshold ?? lowAt,
  availability: availabilityOf(item.available, item.threshold ?? lowAt),
  updatedAt: item.updatedAt.toISOString(),
})

/** The quantities of a SKU. `available + reserved + sold` always equals `received`. */
export interface Account {
  sku: string
  available: number
  reserved: number
  sold: number
  received: number
}

export interface Line {
  sku: string
  quantity: number
}

export interface Shortage {
  sku: string
  requested: number
  available: number
}

/** Merges lines into one for each SKU, sorted by SKU. */
export function mergeLines(lines: readonly Line[]): Line[] {
  const quantities = new Map<string, number>()
  for (const { sku, quantity } of lines) quantities.set(sku, (quantities.get(sku) ?? 0) + quantity)
  return [...quantities]
    .map(([sku, quantity]) => ({ sku, quantity }))
    .sort((a, b) => (a.sku < b.sku ? -1 : 1))
}

/** Returns the lines of which some is left without others of the same SKUs. Both are merged by `mergeLines`. */
export function without(lines: readonly Line[], others: readonly Line[]): Line[] {
  const less = new Map(others.map(({ sku, quantity }) => [sku, quantity]))
  return lines
    .map(({ sku, quantity }) => ({ sku, quantity: quantity - (less.get(sku) ?? 0) }))
    .filter(({ quantity }) => quantity > 0)
}

/**
 * Reserves every line, or none if any is too large. A SKU without an account has nothing available.
 * @param lines merged by `mergeLines`
 * @returns the changed accounts, or the shortages
 */
export function reserve<A extends Account>(
  accounts: readonly A[],
  lines: readonly Line[],
): { accounts: A[]; shortages: Shortage[] } {
  const available = new Map(accounts.map((account) => [account.sku, account.available]))
  const shortages = lines
    .map(({ sku, quantity }) => ({ sku, requested: quantity, available: available.get(sku) ?? 0 }))
    .filter((line) => line.requested > line.available)
  if (shortages.length > 0) return { accounts: [], shortages }
  return {
    accounts: move(accounts, lines, (account, n) => ({
      available: account.available - n,
      reserved: account.reserved + n,
    })),
    shortages,
  }
}

/**
 * Reserves of each line as many as are available.
 * @param lines merged by `mergeLines`
 * @returns the changed accounts, what is reserved, and what is missing
 */
export function reserveSome<A extends Account>(
  accounts: readonly A[],
  lines: readonly Line[],
): { accounts: A[]; reserved: Line[]; shortages: Shortage[] } {
  const { shortages } = reserve(accounts, lines)
  const missing = shortages.map(({ sku, requested, available }) => ({ sku, quantity: requested - available }))
  const reserved = without(lines, missing)
  return { accounts: reserve(accounts, reserved).accounts, reserved, shortages }
}

/** What an order still waits for of a SKU. */
export interface Waiting extends Line {
  orderId: string
}

/**
 * Gives what is available to the orders that wait for it, as far as it goes.
 * @param waiting those that come first first, each at most once for each SKU
 * @returns the changed accounts, and what each order gets
 */
export function fill<A extends Account>(
  accounts: readonly A[],
  waiting: readonly Waiting[],
): { accounts: A[]; filled: Waiting[] } {
  const left = new Map(accounts.map(({ sku, available }) => [sku, available]))
  const filled = waiting.flatMap(({ orderId, sku, quantity }) => {
    const given = Math.min(left.get(sku) ?? 0, quantity)
    left.set(sku, (left.get(sku) ?? 0) - given)
    return given === 0 ? [] : [{ orderId, sku, quantity: given }]
  })
  return { accounts: reserve(accounts, mergeLines(filled)).accounts, filled }
}

/** Makes reserved stock available again. Returns the changed accounts. */
export const release = <A extends Account>(accounts: readonly A[], lines: readonly Line[]): A[] =>
  move(accounts, lines, (account, n) => ({
    available: account.available + n,
    reserved: account.reserved - n,
  }))

/** Turns reserved stock into sold stock. Returns the changed accounts. */
export const commit = <A extends Account>(accounts: readonly A[], lines: readonly Line[]): A[] =>
  move(accounts, lines, (account, n) => ({ reserved: account.reserved - n, sold: account.sold + n }))

/** Makes sold stock available again. Returns the changed accounts. */
export const restock = <A extends Account>(accounts: readonly A[], lines: readonly Line[]): A[] =>
  move(accounts, lines, (account, n) => ({ sold: account.sold - n, available: account.available + n }))

/** Receives or writes off stock. Returns undefined if less is available than is to be written off. */
export function adjust<A extends Account>(account: A, quantity: number): A | undefined {
  const available = account.available + quantity
  return available < 0 ? undefined : { ...account, available, received: account.received + quantity }
}

function move<A extends Account>(
  accounts: readonly A[],
  lines: readonly Line[],
  by: (account: A, quantity: number) => Partial<Account>,
): A[] {
  const of = new Map(accounts.map((account) => [account.sku, account]))
  return lines.map(({ sku, quantity }) => {
    const account = of.get(sku)
    if (account === undefined) throw new Error(`no account for ${sku}`)
    return { ...account, ...by(account, quantity) }
  })
}
