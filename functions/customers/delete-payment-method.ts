import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { checkVersion, ifMatch } from '../shared/http/entity-tag.ts'
import { lockPaymentMethod } from './find-payment-method.ts'
import { PaymentMethodParams, paymentMethodPath } from './payment-method.ts'
import { removeSaved } from './store.ts'

export const deletePaymentMethod = operation(
  'delete-payment-method',
  {
    request: { params: PaymentMethodParams },
    responses: { 204: null },
    problems: ['not-found', 'stale-version'],
  },
  async ({ params, user, empty, hono }, { db }) => {
    const { id, methodId } = params
    const wanted = hono.req.header('if-match') === undefined ? '*' : ifMatch(hono)
    await transaction(db, async (tx) => {
      checkVersion(wanted, (await lockPaymentMethod(tx, params, user)).version)
      await removeSaved(tx, 'customers.payment_methods', id, methodId, paymentMethodPath(id, methodId))
    })
    return empty()
  },
)
