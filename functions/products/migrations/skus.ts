import type { Db } from 'mongodb'
import type { ProductDocument } from '../product.ts'

/** Rewrites the SKUs in upper case. */
export async function inUpperCase(db: Db): Promise<void> {
  const products = db.collection<ProductDocument>('products')
  const known = await products.find().project<{ sku: string }>({ _id: 0, sku: 1 }).toArray()
  // the last first: if it is interrupted, the next run gives the others the same names
  for (const [old, sku] of [...newNames(known.map(({ sku }) => sku))].toReversed())
    await products.updateOne({ sku: old }, { $set: { sku } })
}

/**
 * Returns the new names of the SKUs that change. Of SKUs that differ only in case, the first keeps its name; the
 * others get a number, such as MUG--2. The migrations of orders and stock do the same.
 */
function newNames(skus: readonly string[]): Map<string, string> {
  const groups = Map.groupBy(skus.toSorted(), (sku) => sku.toUpperCase())
  const names = [...groups].flatMap(([upper, group]) =>
    group.map((old, i) => [old, i === 0 ? upper : `${upper.slice(0, 60)}--${i + 1}`] as const),
  )
  return new Map(names.filter(([old, sku]) => old !== sku))
}
