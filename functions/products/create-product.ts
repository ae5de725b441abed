import { operation } from '../shared/http/operation.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { NewProduct, newProduct, Product, toProduct } from './product.ts'
import { ensureCategories } from './category-store.ts'
import { groupFor, insertOnce } from './store.ts'
import { problems } from './problems.ts'

export const createProduct = operation(
  'create-product',
  {
    request: { body: NewProduct },
    responses: { 201: Product },
    problems: [problems['sku-taken'], problems['variant-taken'], problems['too-many-variants']],
    headers: ['ETag', 'Location'],
  },
  async ({ body, user, key, traceparent, actor, json }, { products, categories }) => {
    const group = await groupFor(products, body, user)
    const product = newProduct(body, user.id, { traceparent, actor }, group)
    const response = json(toProduct(product), 201, {
      ETag: etag(product.version),
      Location: `/api/v1/products/${product._id}`,
    })
    const answer = await insertOnce(products, product, key, response)
    // afterwards, so that it is not deleted meanwhile because nothing is in it
    await ensureCategories(categories, [body.category])
    return answer
  },
)
