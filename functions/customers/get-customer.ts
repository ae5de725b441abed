import { operation } from '../shared/http/operation.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { Customer, notKept, toCustomer } from './customer.ts'
import { readCustomer } from './store.ts'

export const getCustomer = operation(
  'get-customer',
  {
    request: { params: IdParam },
    responses: { 200: Customer },
    problems: ['not-found'],
    headers: ['ETag'],
  },
  async ({ params: { id }, user, json }, { db }) => {
    const row = await readCustomer(db, id, user)
    return json(toCustomer(row), 200, { ...notKept, ETag: etag(row.version) })
  },
)
