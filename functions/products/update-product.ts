import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { ifMatch } from '../shared/http/entity-tag.ts'
import { ensureCategories } from './category-store.ts'
import { Product, ProductPatch, toProduct, update } from './product.ts'
import { problems } from './problems.ts'
import { changeProduct, checkNewOptions, tagOf } from './store.ts'

export const updateProduct = operation(
  'update-product',
  {
    request: { params: IdParam, body: ProductPatch },
    responses: { 200: Product },
    problems: [
      'not-found',
      'stale-version',
      'if-match-missing',
      problems['change-not-announced'],
      problems['variant-taken'],
    ],
    headers: ['ETag'],
  },
  async ({ params, body, user, traceparent, actor, json, hono }, { products, categories }) => {
    if (body.options !== undefined) await checkNewOptions(products, params.id, body.options)
    const named = body.category === undefined ? [] : [body.category]
    const product = await changeProduct(products, params.id, user, ifMatch(hono), (current) =>
      update(current, body, { traceparent, actor }),
    )
    await ensureCategories(categories, named)
    return json(toProduct(product), 200, { ETag: tagOf(product) })
  },
)
