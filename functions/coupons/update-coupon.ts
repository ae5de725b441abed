import { eq } from 'drizzle-orm'
import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { checkVersion, etag, ifMatch } from '../shared/http/entity-tag.ts'
import { Problem } from '../shared/http/problems.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { changed, Coupon, CouponChanges, coupons, toCoupon } from './coupon.ts'
import { lockCoupon } from './store.ts'

/** Changes a coupon. One that has ended stays so. */
export const updateCoupon = operation(
  'update-coupon',
  {
    request: { params: IdParam, body: CouponChanges },
    responses: { 200: Coupon },
    problems: ['not-found', 'stale-version', 'if-match-missing'],
    headers: ['ETag'],
  },
  async ({ params, body, json, hono }, { db }) => {
    const wanted = ifMatch(hono)
    const row = await transaction(db, async (tx) => {
      const current = await lockCoupon(tx, params.id)
      checkVersion(wanted, current.version)
      const change = changed(current, body)
      if (change === undefined)
        throw new Problem('invalid-request', {
          detail: 'The coupon would end before it begins.',
          errors: [{ pointer: '/body/validUntil', detail: 'after validFrom' }],
        })
      const row = { ...current, ...change, version: current.version + 1, updatedAt: new Date() }
      await tx.update(coupons).set(row).where(eq(coupons.id, row.id))
      return row
    })
    return json(toCoupon(row), 200, { etag: etag(row.version) })
  },
)
