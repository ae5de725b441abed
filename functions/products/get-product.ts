import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { Product, toProduct } from './product.ts'
import { noProduct, stateOnly, tagOf } from './store.ts'

export const getProduct = operation(
  'get-product',
  {
    request: { params: IdParam },
    responses: { 200: Product },
    problems: ['not-found'],
    headers: ['ETag'],
  },
  async ({ params, json }, { products }) => {
    const product = await products.findOne({ _id: params.id, deletedAt: null }, stateOnly)
    if (product === null) throw noProduct()
    return json(toProduct(product), 200, {
      ETag: tagOf(product),
      // caches may store the answer, but must revalidate it each time
      'Cache-Control': 'public, no-cache',
    })
  },
)
