import { uuidv7 } from 'uuidv7'
import { couponProblems } from '../shared/http/coupon-redeemer.ts'
import { operation } from '../shared/http/operation.ts'
import { Id } from '../shared/schemas/schemas.ts'
import { transaction } from '../shared/store/transaction.ts'
import { basketOf, redeemerOf } from './basket.ts'
import { CouponQuote, NewRedemption } from './coupon.ts'
import { quoteOf, readCoupons, redeem } from './store.ts'

const Redemption = CouponQuote.extend({
  orderId: Id.meta({ description: 'The id that the order must get.' }),
}).meta({ id: 'Redemption' })

/**
 * Redeems coupons for an order that create-order is about to place. What is not confirmed by `order.discounted` in time is
 * given back.
 */
export const redeemCoupons = operation(
  'redeem-coupons',
  {
    request: { body: NewRedemption },
    responses: { 200: Redemption },
    problems: ['wrong-role', ...Object.values(couponProblems), 'idempotency-key-reused'],
  },
  async ({ body, user, json }, { db, products, heldMs }) => {
    const { request, couponCodes: codes } = body
    // outside of the transaction, because it may call another function
    const basket = await basketOf(db, products, await readCoupons(db, codes), body)
    const wanted = { userId: redeemerOf(body, user), request, codes, orderId: uuidv7(), heldMs }
    const redeemed = await transaction(db, (tx) => redeem(tx, wanted, (rows) => quoteOf(rows, basket)))
    return json(redeemed, 200)
  },
)
