import * as z from 'zod'
import { sql } from 'drizzle-orm'
import { check, index, integer, jsonb, pgSchema, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { apportion } from '../shared/apportion.ts'
import type { couponProblems } from '../shared/http/coupon-redeemer.ts'
import { CouponCode, CouponCodes } from '../shared/schemas/coupon-codes.ts'
import { formatMoney } from '../shared/schemas/money.ts'
import {
  Amount,
  changeOf,
  Currency,
  Id,
  Money,
  Quantity,
  Sku,
  text as Text,
  Timestamp,
} from '../shared/schemas/schemas.ts'
import { time } from '../shared/store/columns.ts'
import { requestCountsTable } from '../shared/store/counts-table.ts'
import { endedSessionsTable } from '../shared/store/ended-sessions-table.ts'
import { keyPattern } from '../shared/store/idempotency.ts'
import { idempotencyTable } from '../shared/store/idempotency-table.ts'
import { slugOf } from '../shared/slug.ts'
import type { RedemptionState } from './redemption.ts'

/** Coupons: tables, schemas and rules. Everything here is pure. */

export const schema = pgSchema('coupons')

export const coupons = schema.table(
  'coupons',
  {
    id: uuid().primaryKey(),
    code: text().notNull().unique('coupon_code'),
    /** One of both is set. */
    percent: integer(),
    amount: integer(),
    /** Of `amount` and `minimum`; null if there is neither. */
    currency: text(),
    minimum: integer(),
    validFrom: time('valid_from').notNull(),
    validUntil: time('valid_until'),
    /** If both are empty, it is for all products. */
    skus: jsonb().$type<string[]>().notNull(),
    categories: jsonb().$type<string[]>().notNull(),
    maxPerUser: integer('max_per_user'),
    maxInAll: integer('max_in_all'),
    /** How many orders have it, less those that have given it back. */
    redeemed: integer().notNull().default(0),
    endedAt: time('ended_at'),
    version: integer().notNull().default(1),
    createdAt: time('created_at').notNull().defaultNow(),
    updatedAt: time('updated_at').notNull().defaultNow(),
  },
  (t) => [
    check('percent_or_amount', sql`(${t.percent} is null) <> (${t.amount} is null)`),
    check('redeemed_not_negative', sql`${t.redeemed} >= 0`),
  ],
)

export type CouponRow = typeof coupons.$inferSelect

/** The coupons of each order: a row for each. */
export const redemptions = schema.table(
  'redemptions',
  {
    orderId: uuid('order_id').notNull(),
    couponId: uuid('coupon_id').notNull(),
    userId: uuid('user_id').notNull(),
    /** The Idempotency-Key with which the order is placed, until it is known whether it was. */
    request: text(),
    state: text().$type<RedemptionState>().notNull(),
    /** When it is given back if the order was not placed. */
    heldUntil: time('held_until').notNull(),
    at: time('at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.orderId, t.couponId] }),
    index().on(t.couponId, t.userId),
    index('redemptions_requested')
      .on(t.userId, t.request)
      .where(sql`${t.request} is not null`),
  ],
)

/** A projection of the products: the category of each. */
export const products = schema.table('products', {
  sku: text().primaryKey(),
  /** Null if no event has told it. */
  category: text(),
  version: integer().notNull(),
})

export const idempotencyKeys = idempotencyTable(schema)
export const endedSessions = endedSessionsTable(schema)
export const requestCounts = requestCountsTable(schema)

const Discount = z.union([
  z.strictObject({ percent: z.int().min(1).max(100).meta({ example: 10 }) }),
  z.strictObject({ amount: Money }),
])
const Uses = z.int().min(1).max(1_000_000_000)
const Skus = z.array(Sku).max(100)
const Categories = z.array(Text(100)).max(20)

const minimum = { description: 'What the goods of an order must cost before any discount.' }

export const Coupon = z
  .object({
    id: Id,
    code: CouponCode,
    discount: Discount,
    minimum: Money.nullable().meta(minimum),
    validFrom: Timestamp,
    validUntil: Timestamp.nullable(),
    skus: z.array(Sku),
    categories: z.array(z.string()),
    maxPerUser: Uses.nullable(),
    maxInAll: Uses.nullable(),
    redeemed: z.int().min(0).meta({ description: 'How many orders have it now.' }),
    endedAt: Timestamp.nullable(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'Coupon' })
export type Coupon = z.infer<typeof Coupon>

/** Whether a period is one: it ends after it begins. */
const isPeriod = ({
  validFrom,
  validUntil,
}: {
  validFrom?: string | undefined
  validUntil?: string | undefined
}) =>
  validUntil === undefined || Date.parse(validUntil) > (validFrom === undefined ? 0 : Date.parse(validFrom))

export const NewCoupon = z
  .strictObject({
    code: CouponCode,
    discount: Discount.meta({ description: 'Either a percentage or an amount.' }),
    minimum: Money.optional().meta(minimum),
    validFrom: Timestamp.optional().meta({ description: 'From when on it is valid; from now if not set.' }),
    validUntil: Timestamp.optional().meta({ description: 'Until when it is valid, itself excluded.' }),
    skus: Skus.default([]).meta({
      description: 'The products that it is for, beside those of `categories`. If both are empty, all.',
    }),
    categories: Categories.default([]),
    maxPerUser: Uses.optional().meta({ description: 'How many orders of one user may have it.' }),
    maxInAll: Uses.optional().meta({ description: 'How many orders may have it.' }),
  })
  .refine(isPeriod, { path: ['validUntil'], message: 'after validFrom' })
  .refine(
    ({ discount, minimum }) =>
      !('amount' in discount) || minimum === undefined || minimum.currency === discount.amount.currency,
    { path: ['minimum', 'currency'], message: 'that of the amount' },
  )
  .meta({ id: 'NewCoupon' })
export type NewCoupon = z.output<typeof NewCoupon>

export const CouponChanges = changeOf(
  {
    validFrom: Timestamp.optional(),
    validUntil: Timestamp.nullable().optional(),
    skus: Skus.optional(),
    categories: Categories.optional(),
    maxPerUser: Uses.nullable().optional(),
    maxInAll: Uses.nullable().optional().meta({
      description: 'If it is below what is redeemed already, nobody else gets it.',
    }),
  },
  'CouponChanges',
)
export type CouponChanges = z.output<typeof CouponChanges>

/** The lines of an order, at the prices that the customer sees. */
export const CouponBasket = z.strictObject({
  couponCodes: CouponCodes,
  customerId: Id.optional().meta({ description: 'For staff: the customer for whom they order.' }),
  currency: Currency,
  lines: z
    .array(z.strictObject({ sku: Sku, quantity: Quantity, unitPrice: Amount }))
    .min(1)
    .max(100),
})
export type CouponBasket = z.output<typeof CouponBasket>

const Request = z.string().regex(keyPattern, '1 to 100 visible ASCII characters')

export const CouponQuestion = CouponBasket.extend({
  request: Request.optional().meta({
    description: 'The Idempotency-Key of an order: what is held for it already is not used up.',
  }),
}).meta({ id: 'CouponQuestion' })

export const NewRedemption = CouponBasket.extend({
  request: Request.meta({ description: 'The Idempotency-Key with which the order is placed.' }),
}).meta({ id: 'NewRedemption' })

export const CouponQuote = z
  .object({
    coupons: z.array(
      z.object({
        code: CouponCode,
        discounts: z.array(Amount).meta({ description: 'What it takes off each line, in minor units.' }),
      }),
    ),
    discount: Amount.meta({ description: 'What they take off in all.' }),
  })
  .meta({ id: 'CouponQuote' })
export type CouponQuote = z.infer<typeof CouponQuote>

/** Returns the row of a new coupon. */
export function newCoupon(input: NewCoupon, id: string, now: Date): CouponRow {
  const { code, discount, minimum, validFrom, validUntil, skus, categories, maxPerUser, maxInAll } = input
  const amount = 'amount' in discount ? discount.amount : undefined
  return {
    id,
    code,
    percent: 'percent' in discount ? discount.percent : null,
    amount: amount?.amount ?? null,
    currency: (amount ?? minimum)?.currency ?? null,
    minimum: minimum?.amount ?? null,
    validFrom: validFrom === undefined ? now : new Date(validFrom),
    validUntil: validUntil === undefined ? null : new Date(validUntil),
    skus,
    categories,
    maxPerUser: maxPerUser ?? null,
    maxInAll: maxInAll ?? null,
    redeemed: 0,
    endedAt: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  }
}

/** Applies changes to a coupon. Returns undefined if it would end before it begins. */
export function changed(row: CouponRow, changes: CouponChanges): Partial<CouponRow> | undefined {
  const { validFrom, validUntil, ...rest } = changes
  const period = {
    validFrom: validFrom === undefined ? row.validFrom : new Date(validFrom),
    validUntil: validUntil == null ? (validUntil === null ? null : row.validUntil) : new Date(validUntil),
  }
  if (period.validUntil !== null && period.validUntil <= period.validFrom) return undefined
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  return { ...given, ...period }
}

/** Converts a row to the API's coupon. */
export const toCoupon = (row: CouponRow): Coupon => ({
  id: row.id,
  code: row.code,
  discount:
    row.percent === null
      ? { amount: { amount: row.amount!, currency: row.currency! } }
      : { percent: row.percent },
  minimum: row.minimum === null ? null : { amount: row.minimum, currency: row.currency! },
  validFrom: row.validFrom.toISOString(),
  validUntil: row.validUntil?.toISOString() ?? null,
  skus: row.skus,
  categories: row.categories,
  maxPerUser: row.maxPerUser,
  maxInAll: row.maxInAll,
  redeemed: row.redeemed,
  endedAt: row.endedAt?.toISOString() ?? null,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})

/** Why a coupon is refused. */
export interface Refusal {
  refused: keyof typeof couponProblems
  /** Which of the codes. */
  index: number
  detail: string
}

/** What is known of the goods of an order. */
export interface Goods {
  lines: readonly { sku: string; quantity: number; unitPrice: number }[]
  currency: string
  /** The category of each SKU, as far as it has one. */
  categories: ReadonlyMap<string, string>
  now: Date
}

type Rules = Omit<
  CouponRow,
  'id' | 'version' | 'createdAt' | 'updatedAt' | 'redeemed' | 'maxPerUser' | 'maxInAll'
>

/**
 * Applies coupons to an order one after the other, each to what the one before has left of the lines that it is for. A
 * percentage is rounded half up; what a coupon gives is divided over its lines without losing a minor unit.
 * @returns what each takes off each line, or why the first that cannot be applied is refused
 */
export function applyCoupons(
  given: readonly Rules[],
  goods: Goods,
): { code: string; discounts: number[] }[] | Refusal {
  let left = goods.lines.map(({ quantity, unitPrice }) => quantity * unitPrice)
  const total = sumOf(left)
  const applied: { code: string; discounts: number[] }[] = []
  for (const [index, coupon] of given.entries()) {
    const refused = refusalOf(coupon, goods, total)
    if (refused !== undefined) return { ...refused, index }
    const weights = left.map((amount, i) => (isFor(coupon, goods.lines[i]!.sku, goods) ? amount : 0))
    const discounts = apportion(discountOf(coupon, sumOf(weights)), weights)
    left = left.map((amount, i) => amount - discounts[i]!)
    applied.push({ code: coupon.code, discounts })
  }
  return applied
}

const sumOf = (amounts: readonly number[]) => amounts.reduce((sum, amount) => sum + amount, 0)

/** Returns what a coupon gives on an amount, at most the amount itself. */
const discountOf = ({ percent, amount }: Rules, on: number) =>
  percent === null ? Math.min(amount!, on) : Math.floor((on * percent + 50) / 100)

const isForAll = ({ skus, categories }: Rules) => skus.length === 0 && categories.length === 0

function isFor(coupon: Rules, sku: string, { categories }: Goods): boolean {
  const category = categories.get(sku)
  return (
    isForAll(coupon) ||
    coupon.skus.includes(sku) ||
    // a product is in `bike-parts`, which earlier versions and people also call `Bike parts`
    (category !== undefined && coupon.categories.some((each) => slugOf(each) === slugOf(category)))
  )
}

function refusalOf(coupon: Rules, goods: Goods, total: number): Omit<Refusal, 'index'> | undefined {
  const { code, validFrom, validUntil, endedAt, currency, minimum } = coupon
  const { now } = goods
  if (endedAt !== null || (validUntil !== null && validUntil <= now))
    return { refused: 'coupon-not-valid', detail: `${code} is no longer valid.` }
  if (validFrom > now)
    return { refused: 'coupon-not-valid', detail: `${code} is valid from ${validFrom.toISOString()} on.` }
  if (currency !== null && currency !== goods.currency)
    return {
      refused: 'coupon-not-for-these',
      detail: `${code} is for orders in ${currency}, and this one is in ${goods.currency}.`,
    }
  if (!goods.lines.some(({ sku }) => isFor(coupon, sku, goods)))
    return { refused: 'coupon-not-for-these', detail: `${code} is for none of these products.` }
  if (minimum !== null && total < minimum) {
    const inMoney = (amount: number) => formatMoney({ amount, currency: goods.currency })
    return {
      refused: 'coupon-minimum',
      detail: `${code} is for orders of ${inMoney(minimum)} or more, and this one is of ${inMoney(total)}.`,
    }
  }
  return undefined
}

/**
 * Returns why a coupon cannot be redeemed once more, if it is used up.
 * @param own how many orders of this user have it
 */
export function usedUp(
  { code, maxInAll, maxPerUser, redeemed }: Pick<CouponRow, 'code' | 'maxInAll' | 'maxPerUser' | 'redeemed'>,
  own: number,
): string | undefined {
  if (maxInAll !== null && redeemed >= maxInAll) return `${code} was redeemed as often as it can be.`
  if (maxPerUser !== null && own >= maxPerUser)
    return `You have redeemed ${code} as often as you may, which is ${maxPerUser === 1 ? 'once' : `${maxPerUser} times`}.`
  return undefined
}
