import { uuidv7 } from 'uuidv7'
import { once } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { Problem } from '../shared/http/problems.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { idempotencyKeys, maxPaymentMethods, paymentMethods } from './customer.ts'
import { NewPaymentMethod, PaymentMethod, paymentMethodPath, toPaymentMethod } from './payment-method.ts'
import { problems } from './problems.ts'
import { added } from './saved.ts'
import { lockCustomer, savedOf, writeDefaults } from './store.ts'

export const createPaymentMethod = operation(
  'create-payment-method',
  {
    request: { params: IdParam, body: NewPaymentMethod },
    responses: { 201: PaymentMethod },
    problems: ['not-found', problems['too-many-payment-methods'], problems['payment-method-saved']],
    headers: ['ETag', 'Location'],
  },
  async ({ params: { id: customerId }, body: { isDefault, ...card }, user, key, json }, { db }) =>
    once(db, idempotencyKeys, key, async (tx) => {
      await lockCustomer(tx, customerId, user)
      const before = await savedOf(tx, 'customers.payment_methods', customerId)
      if (before.length >= maxPaymentMethods)
        throw new Problem(problems['too-many-payment-methods'], {
          detail: `A customer has ${maxPaymentMethods} saved payment methods at most: delete one first.`,
        })
      const id = uuidv7()
      const after = added(before, { id, isDefault })
      await writeDefaults(tx, 'customers.payment_methods', before, after)
      const [row] = await tx
        .insert(paymentMethods)
        .values({ id, customerId, ...card, isDefault: after.at(-1)!.isDefault })
        .onConflictDoNothing({ target: [paymentMethods.customerId, paymentMethods.cardToken] })
        .returning()
      if (row === undefined)
        throw new Problem(problems['payment-method-saved'], {
          detail: 'The customer has a saved payment method with this token: use that one.',
        })
      return json(toPaymentMethod(row, user), 201, {
        ETag: etag(row.version),
        Location: paymentMethodPath(customerId, id),
      })
    }),
)
