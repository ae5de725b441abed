import { eq } from 'drizzle-orm'
import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { Coupon, coupons, toCoupon } from './coupon.ts'
import { lockCoupon } from './store.ts'

/** Ends a coupon. Orders that have it keep it. */
export const endCoupon = operation(
  'end-coupon',
  { request: { params: IdParam }, responses: { 200: Coupon }, problems: ['not-found'], headers: ['ETag'] },
  async ({ params, json }, { db }) => {
    const row = await transaction(db, async (tx) => {
      const current = await lockCoupon(tx, params.id)
      // a repeated request succeeds without another change
      if (current.endedAt !== null) return current
      const now = new Date()
      const row = { ...current, endedAt: now, version: current.version + 1, updatedAt: now }
      await tx.update(coupons).set(row).where(eq(coupons.id, row.id))
      return row
    })
    return json(toCoupon(row), 200, { etag: etag(row.version) })
  },
)
