import { uuidv7 } from 'uuidv7'
import { once } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { Problem } from '../shared/http/problems.ts'
import { Coupon, coupons, idempotencyKeys, NewCoupon, newCoupon, toCoupon } from './coupon.ts'
import { problems } from './problems.ts'

export const createCoupon = operation(
  'create-coupon',
  {
    request: { body: NewCoupon },
    responses: { 201: Coupon },
    problems: [problems['coupon-code-taken']],
    headers: ['ETag', 'Location'],
  },
  async ({ body, key, json }, { db }) =>
    once(db, idempotencyKeys, key, async (tx) => {
      const row = newCoupon(body, uuidv7(), new Date())
      const added = await tx.insert(coupons).values(row).onConflictDoNothing().returning({ id: coupons.id })
      if (added.length === 0)
        throw new Problem(problems['coupon-code-taken'], {
          detail: `There is, or was, a coupon ${row.code}. Choose another code.`,
        })
      return json(toCoupon(row), 201, { etag: etag(row.version), location: `/api/v1/coupons/${row.id}` })
    }),
)
