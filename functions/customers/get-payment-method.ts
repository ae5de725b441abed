import { operation } from '../shared/http/operation.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { notKept } from './customer.ts'
import { findPaymentMethod } from './find-payment-method.ts'
import { PaymentMethod, PaymentMethodParams, toPaymentMethod } from './payment-method.ts'

export const getPaymentMethod = operation(
  'get-payment-method',
  {
    request: { params: PaymentMethodParams },
    responses: { 200: PaymentMethod },
    problems: ['not-found'],
    headers: ['ETag'],
  },
  async ({ params, user, json }, { db }) => {
    const row = await findPaymentMethod(db, params, user)
    return json(toPaymentMethod(row, user), 200, { ...notKept, ETag: etag(row.version) })
  },
)
