import type { Collection } from 'mongodb'
import { reaction } from '../../events/reaction.ts'
import { groupsOf, patiently } from '../shared/store/mongodb.ts'
import { forgetCreations } from './category-store.ts'
import { remove, type ProductDocument } from './product.ts'
import { forgetPurchases } from './purchases.ts'
import { forgetAuthor } from './review-store.ts'
import { stateOnly } from './store.ts'

/** How many products are changed together: few enough that even a slow store does it well within its timeout. */
const atOnce = 25

/**
 * Deletes the products that a deleted user sells, and then what the user wrote about them. Names and prices stay, as
 * orders repeat them. The user's reviews and answers to reviews are deleted, too: they are texts of a person. If it is
 * interrupted, the next delivery does the rest.
 */
export const forgetSeller = reaction(
  'forget-seller',
  async ({ data, traceparent }, { products, categories, reviews, ...bought }) => {
    if ('customerId' in data) {
      // a customer without an account sells nothing and reviews nothing
      await forgetPurchases(bought, data.customerId)
      return
    }
    const { userId } = data
    await forgetPurchases(bought, userId)
    await forgetAuthor(reviews, userId, traceparent)
    while (await withdrawAll(products, userId, traceparent));
    await products.updateMany({ 'creation.caller': userId }, { $unset: { creation: '' } }, patiently)
    await products.updateMany(
      { sellerId: userId, deletedAt: { $ne: null } },
      { $set: { description: '', attributes: {}, tags: [], images: [], options: {} } },
      patiently,
    )
    await forgetCreations(categories, userId)
  },
)

/** Deletes a seller's products. Returns whether there were any. */
async function withdrawAll(
  products: Collection<ProductDocument>,
  sellerId: string,
  traceparent: string | undefined,
): Promise<boolean> {
  const all = products.find({ sellerId, deletedAt: null }, { ...stateOnly, ...patiently })
  let found = false
  for await (const some of groupsOf(all, atOnce)) {
    found = true
    await products.bulkWrite(
      some.map((product) => {
        const { set, event } = remove(product, { traceparent, actor: 'system' })
        const filter = { _id: product._id, version: product.version }
        // a product that was changed meanwhile is found again
        return { updateOne: { filter, update: { $set: set, $push: { outbox: event } } } }
      }),
      { ordered: false },
    )
  }
  return found
}
