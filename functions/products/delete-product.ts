import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { ifMatch } from '../shared/http/entity-tag.ts'
import { remove } from './product.ts'
import { problems } from './problems.ts'
import { changeProduct } from './store.ts'

export const deleteProduct = operation(
  'delete-product',
  {
    request: { params: IdParam },
    responses: { 204: null },
    problems: ['not-found', 'stale-version', problems['change-not-announced']],
  },
  async ({ params, user, traceparent, actor, empty, hono }, { products }) => {
    const wanted = hono.req.header('if-match') === undefined ? '*' : ifMatch(hono)
    await changeProduct(products, params.id, user, wanted, (current) =>
      remove(current, { traceparent, actor }),
    )
    return empty()
  },
)
