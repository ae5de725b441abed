import type { CouponRedeemer } from '../shared/http/coupon-redeemer.ts'
import { priceOrder, type Discount, type Goods, type Refusal, type Terms, type Wanted } from './pricing.ts'

/** Who redeems coupons, and for which request. */
interface Redeeming {
  coupons: CouponRedeemer
  /** The caller's own Authorization header. */
  authorization: string
  /** The customer for whom staff order. */
  customerId?: string
  /** The Idempotency-Key of the order, by which a retry gets what it has redeemed before. */
  request: string
}

/**
 * Redeems the coupons of a new order. It asks what they give first, so that an order which would cost something else than
 * expected is refused before anything is redeemed.
 * @returns the discounts, and the id that the order must get; or why it is refused
 * @throws Problem if a coupon cannot be redeemed, or the coupons cannot be reached
 */
export async function redeemCoupons(
  wanted: Wanted & { couponCodes: readonly string[] },
  goods: Goods,
  terms: Terms,
  { coupons, authorization, ...redeemer }: Redeeming,
): Promise<{ orderId: string; discounts: readonly Discount[] } | Refusal> {
  const lines = goods.lines.map(({ sku, quantity, unitPrice }) => ({ sku, quantity, unitPrice }))
  const basket = { couponCodes: wanted.couponCodes, currency: goods.currency, lines, ...redeemer }
  const quote = await coupons.quote(authorization, basket)
  const priced = priceOrder(wanted, goods, terms, quote.coupons)
  if ('refused' in priced) return priced
  const { orderId, coupons: discounts } = await coupons.redeem(authorization, basket)
  return { orderId, discounts }
}
