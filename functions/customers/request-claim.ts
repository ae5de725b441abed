import { and, eq, isNull } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { secrets } from '../../events/tables.ts'
import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { ClaimRequest, ClaimRequested, hashOf, mayMail, newToken } from './claim.ts'
import { claims, customers } from './customer.ts'

/** The answer does not say whether there is such a customer, because anybody may ask. */
export const requestClaim = operation(
  'request-claim',
  { request: { body: ClaimRequest }, responses: { 202: ClaimRequested } },
  async ({ body: { email }, json }, { db }) => {
    await transaction(db, async (tx) => {
      const [customer] = await tx
        .select({ id: customers.id })
        .from(customers)
        .where(eq(customers.email, email))
        .for('update')
      if (customer === undefined) return
      const open = and(eq(claims.customerId, customer.id), isNull(claims.usedBy))
      const [last] = await tx.select().from(claims).where(open)
      const now = new Date()
      if (!mayMail(last?.requestedAt, now)) return
      // only the newest link can be used
      await tx.delete(claims).where(open)
      const [token, requestId] = [newToken(), uuidv7()]
      await tx.insert(claims).values({ tokenHash: hashOf(token), customerId: customer.id, requestedAt: now })
      const secret = JSON.stringify({ email, token })
      await tx.insert(secrets).values({ subject: requestId, recipient: 'notifications', secret })
      await tx.emit('customer.claim-requested', customer.id, { customerId: customer.id, requestId })
    })
    return json({ email }, 202)
  },
)
