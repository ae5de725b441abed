import type { Db } from 'mongodb'
import { searchKeys, type ProductDocument } from '../product.ts'

/** Rewrites the fields by which products are found and sorted, as this version derives them. */
export async function foldedWords(db: Db): Promise<void> {
  const products = db.collection<ProductDocument>('products')
  const fields = { sku: 1, name: 1, category: 1, description: 1, tags: 1, options: 1, version: 1 }
  for await (const product of products.find({ deletedAt: null }, { projection: fields }))
    // a product that is changed or deleted meanwhile has new ones, or none
    await products.updateOne({ _id: product._id, version: product.version }, { $set: searchKeys(product) })
}
