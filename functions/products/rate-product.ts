import { reaction } from '../../events/reaction.ts'
import { purge, starsIn } from './review-store.ts'

/**
 * Keeps the rating of a product. It is counted anew each time, so an event may come late or repeatedly. The version is
 * read before the reviews are: if another one has counted them meanwhile, this count may be older, and is made again.
 */
export const rateProduct = reaction('rate-product', async ({ type, data }, { products, reviews }) => {
  const { productId: _id, reviewId } = data
  for (;;) {
    const product = await products.findOne({ _id }, { projection: { rating: 1 } })
    if (product === null) break
    const { version } = product.rating ?? { version: 0 }
    const rating = { ...(await starsIn(reviews, _id)), version: version + 1, at: new Date() }
    const same = version === 0 ? { rating: { $exists: false } } : { 'rating.version': version }
    const { matchedCount } = await products.updateOne({ _id, ...same }, { $set: { rating } })
    if (matchedCount === 1) break
  }
  if (type === 'review.deleted') await purge(reviews, reviewId)
})
