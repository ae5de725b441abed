import type { Collection } from 'mongodb'
import type { ProductFacts, ProductReader } from '../shared/http/product-reader.ts'
import { duplicatesIn } from '../shared/store/mongodb-errors.ts'
import type { Product, Products } from './cart.ts'

/** Returns the products with these SKUs that carts know. */
export async function productsWith(
  products: Collection<Product>,
  skus: readonly string[],
): Promise<Products> {
  if (skus.length === 0) return new Map()
  const found = await products.find({ _id: { $in: [...new Set(skus)] } }).toArray()
  return new Map(found.map((product) => [product._id, product]))
}

/**
 * Reads a product that carts do not know yet from the products domain, and keeps it. Returns undefined if the shop has
 * none with this SKU.
 */
export async function readNew(
  products: Collection<Product>,
  readProduct: ProductReader,
  sku: string,
): Promise<Product | undefined> {
  const facts = await readProduct(sku)
  if (facts === undefined) return undefined
  const product = toProduct(facts)
  await keepNewest(products, [product])
  return product
}

type Facts = Pick<ProductFacts, 'sku' | 'name' | 'price' | 'version'>

export const toProduct = ({ sku, name, price, version }: Facts): Product => ({
  _id: sku,
  name,
  price,
  version,
  isGone: false,
})

/** Keeps what is reported of products, unless something newer is known. */
export async function keepNewest(
  products: Collection<Product>,
  reported: readonly (Partial<Product> & Pick<Product, '_id' | 'version'>)[],
): Promise<void> {
  const writes = reported.map(({ _id, ...facts }) => ({
    updateOne: { filter: { _id, version: { $lt: facts.version } }, update: { $set: facts }, upsert: true },
  }))
  // what is known in this version, or in a newer one, cannot be inserted
  await products.bulkWrite(writes, { ordered: false }).catch(duplicatesIn)
}
