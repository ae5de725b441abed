import type { Db } from 'mongodb'
import { ensureCategories, ensureTree, openCategories } from '../category-store.ts'
import type { ProductDocument } from '../product.ts'
import { slugOf } from '../../shared/slug.ts'

/** Creates the tree of categories, with one for each text that products have as theirs. Those with the same slug become one. */
export async function categoriesOfTexts(db: Db): Promise<void> {
  const products = db.collection<ProductDocument>('products')
  const texts: string[] = await products.distinct('category')
  // a name with which nothing can be named
  const slugs = new Map(texts.map((text) => [text, slugOf(text) || 'other']))
  const trees = openCategories(db)
  await ensureTree(trees)
  await ensureCategories(
    trees,
    [...slugs].map(([text, slug]) => (slugOf(text) === slug ? text : slug)),
  )
  for (const [text, slug] of slugs)
    if (text !== slug) await products.updateMany({ category: text }, { $set: { category: slug } })
}
