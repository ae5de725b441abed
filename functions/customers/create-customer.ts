import { uuidv7 } from 'uuidv7'
import { once } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { Customer, customers, idempotencyKeys, NewCustomer, pathOf, toCustomer } from './customer.ts'
import { emailKept } from './email-kept.ts'
import { problems } from './problems.ts'

export const createCustomer = operation(
  'create-customer',
  {
    request: { body: NewCustomer },
    responses: { 201: Customer },
    problems: [problems['email-kept']],
    headers: ['ETag', 'Location'],
  },
  async ({ body: { name, email, phone, language, taxId }, key, json }, { db }) =>
    once(db, idempotencyKeys, key, async (tx) => {
      const [row] = await tx
        .insert(customers)
        .values({ id: uuidv7(), hasAccount: false, name, email, phone, language, taxId })
        .onConflictDoNothing()
        .returning()
      if (row === undefined) throw emailKept()
      return json(toCustomer(row), 201, { ETag: etag(row.version), Location: pathOf(row.id) })
    }),
)
