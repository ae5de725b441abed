import { eq, or, sql } from 'drizzle-orm'
import { forgetAttempts } from './attempts.ts'
import { forgetCodes } from './codes.ts'
import { endSessionsOf, forgetSessionsOf, refuseEnded } from './families.ts'
import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { checkVersion, ifMatch, staleVersion } from '../shared/http/entity-tag.ts'
import { findUser, keepOneAdmin } from './find-user.ts'
import { hashing } from './hashing.ts'
import { forgetTokens } from './mailing.ts'
import { stepUp } from './step-up.ts'
import { idempotencyKeys, mayChange, noSuchUser, pathOf, UserDeletion, users } from './user.ts'
import { problems } from './problems.ts'

/**
 * Deletes the user's personal data. The row stays, because orders and payments refer to its id. With the event, every
 * other domain does its part (docs/deleted-accounts.md). The current password comes in a body: a header
 * would have to be encoded, and proxies log headers.
 */
export const deleteUser = operation(
  'delete-user',
  {
    request: { params: IdParam, body: UserDeletion },
    responses: { 204: null },
    problems: [
      'session-ended',
      problems['wrong-password'],
      'not-found',
      problems['last-admin'],
      'stale-version',
      'too-many-attempts',
      'overloaded',
    ],
  },
  hashing(async ({ params: { id }, body, user: caller, address, logSecurity, empty, hono }, { db }) => {
    if (!mayChange(caller, id)) throw noSuchUser()
    const wanted = hono.req.header('if-match') === undefined ? '*' : ifMatch(hono)
    const current = await findUser(db, id)
    checkVersion(wanted, current.version)
    await stepUp(db, { user: caller, address }, body.currentPassword)

    await transaction(db, async (tx) => {
      await refuseEnded(tx, caller)
      if (current.role === 'admin') await keepOneAdmin(tx)
      const { count } = await tx
        .update(users)
        .set({
          email: null,
          name: null,
          passwordHash: null,
          emailVerifiedAt: null,
          totpSecret: null,
          totpPeriod: null,
          secondFactorAt: null,
          version: current.version + 1,
          updatedAt: sql`now()`,
          deletedAt: sql`now()`,
        })
        .where(sql`${users.id} = ${id} and ${users.version} = ${current.version}`)
      if (count === 0) throw staleVersion()
      await endSessionsOf(tx, id)
      await forgetSessionsOf(tx, id)
      await forgetTokens(tx, id)
      await forgetCodes(tx, id)
      await forgetAttempts(tx, current.email!)
      await tx.emit('user.deleted', id, { userId: id })
      // the stored answer to the registration contains the name and e-mail address too
      const registration = eq(sql`${idempotencyKeys.headers}->>'location'`, pathOf(id))
      await tx.delete(idempotencyKeys).where(or(registration, eq(idempotencyKeys.caller, id)))
    })
    logSecurity('user-deleted', { user: id })
    return empty()
  }),
)
