import { eq, sql } from 'drizzle-orm'
import { operation } from '../shared/http/operation.ts'
import { checkVersion, ifMatch } from '../shared/http/entity-tag.ts'
import { Problem } from '../shared/http/problems.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { transaction } from '../shared/store/transaction.ts'
import { customers } from './customer.ts'
import { forgetCustomer } from './forget.ts'
import { problems } from './problems.ts'
import { lockCustomer } from './store.ts'

/** Deletes a customer without an account, and lets every other domain forget them (docs/deleted-accounts.md). */
export const deleteCustomer = operation(
  'delete-customer',
  {
    request: { params: IdParam },
    responses: { 204: null },
    problems: ['not-found', problems['has-account'], 'stale-version'],
  },
  async ({ params: { id }, user, empty, hono }, { db }) => {
    const wanted = hono.req.header('if-match') === undefined ? '*' : ifMatch(hono)
    await transaction(db, async (tx) => {
      const { version, hasAccount } = await lockCustomer(tx, id, user)
      checkVersion(wanted, version)
      if (hasAccount)
        throw new Problem(problems['has-account'], {
          detail: 'The customer has an account: delete that with DELETE /api/v1/users/{id}.',
        })
      await forgetCustomer(tx, id)
      const change = { version: version + 1, updatedAt: sql`now()`, deletedAt: sql`now()` }
      await tx.update(customers).set(change).where(eq(customers.id, id))
      await tx.emit('customer.deleted', id, { customerId: id })
    })
    return empty()
  },
)
