import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { noStore } from './user.ts'
import { endSession } from './families.ts'

/** The access token itself stays good until it expires, within 15 minutes: it is verified without asking. */
export const logOut = operation(
  'log-out',
  { request: {}, responses: { 204: null } },
  async ({ user, empty, hono }, { db }) => {
    await transaction(db, (tx) => endSession(tx, user.session))
    hono.header('Cache-Control', noStore['Cache-Control'])
    return empty()
  },
)
