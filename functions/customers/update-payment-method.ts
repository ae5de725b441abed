import { sql } from 'drizzle-orm'
import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { checkVersion, etag, ifMatch } from '../shared/http/entity-tag.ts'
import { paymentMethods } from './customer.ts'
import { isPaymentMethod, lockPaymentMethod } from './find-payment-method.ts'
import { PaymentMethod, PaymentMethodChange, PaymentMethodParams, toPaymentMethod } from './payment-method.ts'
import { makeDefault } from './store.ts'

export const updatePaymentMethod = operation(
  'update-payment-method',
  {
    request: { params: PaymentMethodParams, body: PaymentMethodChange },
    responses: { 200: PaymentMethod },
    problems: ['not-found', 'stale-version', 'if-match-missing'],
    headers: ['ETag'],
  },
  async ({ params, body: change, user, json, hono }, { db }) => {
    const wanted = ifMatch(hono)
    const changed = await transaction(db, async (tx) => {
      const { version } = await lockPaymentMethod(tx, params, user)
      checkVersion(wanted, version)
      if (change.isDefault) await makeDefault(tx, 'customers.payment_methods', params.id, params.methodId)
      const [row] = await tx
        .update(paymentMethods)
        .set({ ...change, version: version + 1, updatedAt: sql`now()` })
        .where(isPaymentMethod(params))
        .returning()
      return row!
    })
    return json(toPaymentMethod(changed, user), 200, { ETag: etag(changed.version) })
  },
)
