import { reaction } from '../../events/reaction.ts'
import { remove } from './product.ts'
import { stateOnly } from './store.ts'

/** How many products are changed together: few enough that even a slow store does it well within its timeout. */
const atOnce = 25

/** Deletes the products that a deleted user sells. If it is interrupted, the next delivery does the rest. */
export const withdrawProducts = reaction('withdraw-products', async ({ data, traceparent }, { products }) => {
  const theirs = { sellerId: data.userId, deletedAt: null }
  for (;;) {
    const some = await products.find(theirs, stateOnly).limit(atOnce).toArray()
    if (some.length === 0) return
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
})
