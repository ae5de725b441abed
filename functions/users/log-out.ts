import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { noStore } from './user.ts'
import { endSession } from './families.ts'

/**
 * Ends the caller's session. The access token stays valid until it expires, up to 15 minutes later, because
 * it is verified without reading the session.
 */
export const logOut = operation(
  'log-out',
  { request: {}, responses: { 204: null } },
  async ({ user, empty, hono }, { db }) => {
    await transaction(db, (tx) => endSession(tx, user.session))
    hono.header('Cache-Control', noStore['Cache-Control'])
    return empty()
  },
)
