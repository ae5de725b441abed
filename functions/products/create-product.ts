import { operation } from '../shared/http/operation.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { NewProduct, newProduct, Product, toProduct } from './product.ts'
import { insertOnce } from './store.ts'
import { problems } from './problems.ts'

export const createProduct = operation(
  'create-product',
  {
    request: { body: NewProduct },
    responses: { 201: Product },
    problems: [problems['sku-taken']],
    headers: ['ETag', 'Location'],
  },
  async ({ body, user, key, traceparent, actor, json }, { products }) => {
    const product = newProduct(body, user.id, { traceparent, actor })
    const response = json(toProduct(product), 201, {
      ETag: etag(product.version),
      Location: `/api/v1/products/${product._id}`,
    })
    return insertOnce(products, product, key, response)
  },
)
