import { etag } from '../shared/http/entity-tag.ts'
import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { Return, toReturn } from './return.ts'
import { readReturn } from './store.ts'

export const getReturn = operation(
  'get-return',
  { request: { params: IdParam }, responses: { 200: Return }, problems: ['not-found'], headers: ['ETag'] },
  async ({ params, user, json }, { db }) => {
    const row = await readReturn(db, params.id, user)
    return json(toReturn(row), 200, { etag: etag(row.version) })
  },
)
