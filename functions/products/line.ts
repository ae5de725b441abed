import { isDeepStrictEqual } from 'node:util'
import { NewProduct, ProductPatch, toProduct, type ProductState } from './product.ts'
import { slugOf } from '../shared/slug.ts'

/** Products as lines of an import or export: in the form in which they are created. Everything here is pure. */

/** Converts a document to a line. A field that is added to NewProduct is exported, too. */
export function toLine(document: ProductState): NewProduct {
  const product = toProduct(document)
  const fields = Object.entries(product).filter(([name]) => name in NewProduct.shape)
  const { id, group } = product
  // the product has all of them
  return { ...(Object.fromEntries(fields) as NewProduct), ...(group !== id && { variantOf: group }) }
}

/**
 * Returns the change that makes a product what its line says; undefined if it is that already. Fields that a line leaves
 * out stay as they are, except for those with a default. Which product it is a variant of stays as it is.
 */
export function changeTo(document: ProductState, line: NewProduct): ProductPatch | undefined {
  const current = fieldsOf(toLine(document))
  const wanted = fieldsOf({ ...line, category: slugOf(line.category) })
  if (isDeepStrictEqual({ ...current, ...wanted }, current)) return undefined
  const removed = Object.keys(document.attributes).filter((name) => !Object.hasOwn(line.attributes, name))
  const attributes = { ...Object.fromEntries(removed.map((name) => [name, null])), ...line.attributes }
  return { ...wanted, attributes }
}

/** Returns the fields of a line that can be changed. */
const fieldsOf = (line: NewProduct): Partial<NewProduct> =>
  Object.fromEntries(Object.entries(line).filter(([name]) => name in ProductPatch.shape))
