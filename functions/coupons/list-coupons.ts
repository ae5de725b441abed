import * as z from 'zod'
import { and, desc, eq, gt, isNotNull, isNull, lt, lte, or, sql } from 'drizzle-orm'
import { operation } from '../shared/http/operation.ts'
import { page, pageOf, PageQuery, readCursor } from '../shared/http/paging.ts'
import { CouponCode } from '../shared/schemas/coupon-codes.ts'
import { Coupon, coupons, toCoupon } from './coupon.ts'

const Query = PageQuery.extend({
  code: CouponCode.optional(),
  status: z
    .enum(['valid', 'ended'])
    .optional()
    .meta({ description: '`valid`: not ended, and not expired; it may begin later. `ended`: the others.' }),
})

const now = sql`now()`
const conditions = {
  valid: and(isNull(coupons.endedAt), or(isNull(coupons.validUntil), gt(coupons.validUntil, now))),
  ended: or(isNotNull(coupons.endedAt), lte(coupons.validUntil, now)),
}

export const listCoupons = operation(
  'list-coupons',
  { request: { query: Query }, responses: { 200: pageOf(Coupon, 'Coupons') }, headers: ['Link'] },
  async ({ query, json, hono }, { db }) => {
    const [before] = readCursor(hono, query.cursor, 'uuid') ?? []
    const rows = await db
      .select()
      .from(coupons)
      .where(
        and(
          query.code === undefined ? undefined : eq(coupons.code, query.code),
          query.status && conditions[query.status],
          // ids are UUIDv7, so descending ids list the newest first
          before === undefined ? undefined : lt(coupons.id, before),
        ),
      )
      .orderBy(desc(coupons.id))
      .limit(query.limit + 1)
    return json(
      page(hono, rows.map(toCoupon), query.limit, ({ id }) => [id]),
      200,
    )
  },
)
