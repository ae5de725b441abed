import { reaction } from '../../events/reaction.ts'
import { keepNewest, toProduct } from './prices.ts'

export const projectPrice = reaction('project-price', async ({ type, data }, { products }) => {
  const { sku, version } = data
  await keepNewest(
    products,
    // the name stays, because carts still show it
    type === 'product.deleted' ? { _id: sku, version, isGone: true } : toProduct(data),
  )
})
