import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { endSession } from './families.ts'

/**
 * Ends the caller's session. Operations that are `fresh` refuse its access token within seconds. Others verify a token
 * without asking for its session, and accept it until it expires, up to 15 minutes later.
 */
export const logOut = operation(
  'log-out',
  { request: {}, responses: { 204: null } },
  async ({ user, empty }, { db }) => {
    await transaction(db, (tx) => endSession(tx, user.session))
    return empty()
  },
)
