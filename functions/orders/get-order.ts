import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { Order, toOrder } from './order.ts'
import { readOrder } from './store.ts'

export const getOrder = operation(
  'get-order',
  { request: { params: IdParam }, responses: { 200: Order }, problems: ['not-found'], headers: ['ETag'] },
  async ({ params, user, json }, { db }) => {
    const row = await readOrder(db, params.id, user)
    return json(toOrder(row), 200, { etag: etag(row.version) })
  },
)
