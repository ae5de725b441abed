import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { endOwnSession } from './families.ts'

/** Ends one of the caller's sessions, such as that of a lost phone. It may be the current one. */
export const endSession = operation(
  'end-session',
  { request: { params: IdParam }, responses: { 204: null }, problems: ['not-found'] },
  async ({ params: { id }, user, logSecurity, empty }, { db }) => {
    const hasEnded = await transaction(db, (tx) => endOwnSession(tx, id, user.id))
    if (!hasEnded) throw new Problem('not-found', { detail: 'You have no such session.' })
    logSecurity('session-revoked', { user: user.id, session: id })
    return empty()
  },
)
