import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { endSessionsOf, refuseEnded } from './families.ts'
import { lockUser } from './find-user.ts'

/** Ends every session of the caller except for the current one. */
export const endOtherSessions = operation(
  'end-other-sessions',
  { request: {}, responses: { 204: null } },
  async ({ user, logSecurity, empty }, { db }) => {
    const count = await transaction(db, async (tx) => {
      // of two devices that end each other's session at once, the first keeps its own
      await lockUser(tx, user.id)
      await refuseEnded(tx, user)
      return endSessionsOf(tx, user.id, user.session)
    })
    if (count > 0) logSecurity('sessions-revoked', { user: user.id, count })
    return empty()
  },
)
