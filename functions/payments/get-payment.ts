import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { Payment, toPayment } from './payment.ts'
import { readPayment } from './store.ts'

export const getPayment = operation(
  'get-payment',
  { request: { params: IdParam }, responses: { 200: Payment }, problems: ['not-found'], headers: ['ETag'] },
  async ({ params, user, json }, { db }) => {
    const row = await readPayment(db, params.id, user)
    return json(toPayment(row), 200, { etag: etag(row.version) })
  },
)
