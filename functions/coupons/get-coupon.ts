import { operation } from '../shared/http/operation.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { Coupon, toCoupon } from './coupon.ts'
import { readCoupon } from './store.ts'

export const getCoupon = operation(
  'get-coupon',
  { request: { params: IdParam }, responses: { 200: Coupon }, problems: ['not-found'], headers: ['ETag'] },
  async ({ params, json }, { db }) => {
    const row = await readCoupon(db, params.id)
    return json(toCoupon(row), 200, { etag: etag(row.version) })
  },
)
