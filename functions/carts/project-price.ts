import { batchReaction } from '../../events/reaction.ts'
import { keepNewest, toProduct } from './prices.ts'

export const projectPrice = batchReaction('project-price', {
  write: ({ products }, events) =>
    keepNewest(
      products,
      events.map(({ type, data }) =>
        // the name stays, because carts still show it
        type === 'product.deleted' ? { _id: data.sku, version: data.version, isGone: true } : toProduct(data),
      ),
    ),
})
