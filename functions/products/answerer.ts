import type { Collection } from 'mongodb'
import { isStaff, type User } from '../shared/auth/access-token.ts'
import type { ProductDocument } from './product.ts'
import { noReview } from './review-store.ts'

/**
 * Returns for whom a user answers reviews of a product: sellers for themselves, staff for the shop.
 * @throws Problem 404 if the user may not answer them
 */
export async function answererOf(
  products: Collection<ProductDocument>,
  productId: string,
  user: User,
): Promise<'seller' | 'shop'> {
  const product = await products.findOne({ _id: productId }, { projection: { sellerId: 1 } })
  if (product?.sellerId === user.id) return 'seller'
  if (isStaff(user)) return 'shop'
  throw noReview()
}
