import { lt, sql } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { products } from './coupon.ts'

export const categorizeProduct = reaction('categorize-product', async ({ data }, { once }) => {
  const { sku, category = null, version } = data
  await once(async (tx) => {
    await tx
      .insert(products)
      .values({ sku, category, version })
      // events of one product may arrive out of order
      .onConflictDoUpdate({
        target: products.sku,
        set: { category, version },
        setWhere: lt(products.version, sql`excluded.version`),
      })
  })
})
