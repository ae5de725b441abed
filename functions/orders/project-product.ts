import { lt, sql } from 'drizzle-orm'
import { products } from './order.ts'
import { reaction } from '../../events/reaction.ts'

export const projectProduct = reaction('project-product', async ({ type, data, time }, { once }) => {
  await once(async (tx) => {
    // events of one product may arrive out of order, so an older version never overwrites a newer one
    const newer = { target: products.sku, setWhere: lt(products.version, sql`excluded.version`) }
    if (type === 'product.deleted') {
      const { sku, productId, version } = data
      const gone = { version, deletedAt: time }
      await tx
        .insert(products)
        .values({ sku, productId, name: '', priceAmount: 0, currency: 'XXX', ...gone })
        .onConflictDoUpdate({ ...newer, set: gone })
      return
    }
    const { sku, productId, name, price, weightGrams = 0, taxClass = 'standard', version } = data
    const facts = {
      productId,
      name,
      priceAmount: price.amount,
      currency: price.currency,
      weightGrams,
      taxClass,
      version,
      deletedAt: null,
    }
    await tx
      .insert(products)
      .values({ sku, ...facts })
      .onConflictDoUpdate({ ...newer, set: facts })
  })
})
