import { eq, sql } from 'drizzle-orm'
import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { checkVersion, etag, ifMatch } from '../shared/http/entity-tag.ts'
import { Problem } from '../shared/http/problems.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { errorCode, sqlState } from '../shared/store/store-errors.ts'
import { Customer, CustomerChange, customers, languageOf, toCustomer } from './customer.ts'
import { emailKept } from './email-kept.ts'
import { lockCustomer } from './store.ts'
import { problems } from './problems.ts'

export const updateCustomer = operation(
  'update-customer',
  {
    request: { params: IdParam, body: CustomerChange },
    responses: { 200: Customer },
    problems: [
      'not-found',
      problems['email-kept'],
      problems['email-of-account'],
      'stale-version',
      'if-match-missing',
    ],
    headers: ['ETag'],
  },
  async ({ params: { id }, body: change, user, json, hono }, { db }) => {
    const wanted = ifMatch(hono)
    const changed = await transaction(db, async (tx) => {
      const current = await lockCustomer(tx, id, user)
      checkVersion(wanted, current.version)
      if (current.hasAccount && change.email !== undefined)
        throw new Problem(problems['email-of-account'], {
          detail: 'The customer has an account: change its e-mail address with PATCH /api/v1/users/{id}.',
        })
      const [row] = await tx
        .update(customers)
        .set({ ...change, version: current.version + 1, updatedAt: sql`now()` })
        .where(eq(customers.id, id))
        .returning()
      const language = languageOf(row!)
      if (row!.hasAccount && language !== languageOf(current))
        await tx.emit('customer.language-changed', id, { userId: id, language })
      return row!
    }).catch((error: unknown) => {
      throw errorCode(error) === sqlState.uniqueViolation ? emailKept() : error
    })
    return json(toCustomer(changed), 200, { ETag: etag(changed.version) })
  },
)
