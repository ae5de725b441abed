import { couponProblems } from '../shared/http/coupon-redeemer.ts'
import { operation } from '../shared/http/operation.ts'
import { CouponQuestion, CouponQuote } from './coupon.ts'
import { checkUses, quoteOf, readCoupons } from './store.ts'
import { basketOf, redeemerOf } from './basket.ts'

/** Says what coupons would give, and redeems nothing. */
export const quoteCoupons = operation(
  'quote-coupons',
  {
    request: { body: CouponQuestion },
    responses: { 200: CouponQuote },
    problems: ['wrong-role', ...Object.values(couponProblems)],
  },
  async ({ body, user, json }, { db, products }) => {
    const userId = redeemerOf(body, user)
    const rows = await readCoupons(db, body.couponCodes)
    const quote = quoteOf(rows, await basketOf(db, products, rows, body))
    await checkUses(db, rows, {
      userId,
      ...(body.request !== undefined && { request: body.request }),
    })
    return json(quote, 200)
  },
)
