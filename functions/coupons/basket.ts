import { isStaff, type User } from '../shared/auth/access-token.ts'
import { Problem } from '../shared/http/problems.ts'
import type { ProductReader } from '../shared/http/product-reader.ts'
import type { Db } from '../shared/store/postgres.ts'
import type { CouponBasket, CouponRow } from './coupon.ts'
import { categoriesOf } from './store.ts'

/** Returns the goods that coupons are for, with their categories if one of the coupons needs them. */
export async function basketOf(
  db: Db,
  products: ProductReader,
  rows: readonly Pick<CouponRow, 'categories'>[],
  { lines, currency }: CouponBasket,
) {
  const needed = rows.some(({ categories }) => categories.length > 0)
  const skus = needed ? lines.map(({ sku }) => sku) : []
  return { lines, currency, categories: await categoriesOf(db, products, skus) }
}

/**
 * Returns who redeems coupons: the caller, or the customer for whom staff order.
 * @throws Problem 403 if somebody else names a customer
 */
export function redeemerOf({ customerId }: Pick<CouponBasket, 'customerId'>, caller: User): string {
  if (customerId === undefined || customerId === caller.id || isStaff(caller)) return customerId ?? caller.id
  throw new Problem('wrong-role', {
    detail: 'Only staff redeem coupons for a customer: leave `customerId` out to redeem them yourself.',
  })
}
