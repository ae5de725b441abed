import { eq, sql } from 'drizzle-orm'
import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { forgetCodes, requireOwnCode } from './codes.ts'
import { findUser, lockUser } from './find-user.ts'
import { hashing } from './hashing.ts'
import { problems } from './problems.ts'
import { hasSecondFactor, secondFactorOff, SteppedUp } from './second-factor.ts'
import { beginCodeStepUp } from './step-up.ts'
import { mayChange, noSuchUser, users } from './user.ts'

/**
 * Turns the second factor off. Users send their own password and a code. An admin does it for somebody who has lost the
 * app and the recovery codes, and sends the admin's own.
 */
export const disableSecondFactor = operation(
  'disable-second-factor',
  {
    request: { params: IdParam, body: SteppedUp },
    responses: { 204: null },
    problems: [
      'session-ended',
      problems['second-factor-needed'],
      problems['wrong-password'],
      problems['wrong-code'],
      'not-found',
      problems['second-factor-off'],
      'too-many-attempts',
      'overloaded',
    ],
  },
  hashing(
    async ({ params: { id }, body, user: caller, address, logSecurity, empty }, { db, secondFactorKey }) => {
      if (!mayChange(caller, id)) throw noSuchUser()
      if (!hasSecondFactor(await findUser(db, id))) throw secondFactorOff()
      const attempt = await beginCodeStepUp(db, { user: caller, address }, body)
      await transaction(db, async (tx) => {
        await requireOwnCode(tx, caller, body.code, { secondFactorKey, logSecurity })
        const user = await lockUser(tx, id)
        if (user === undefined) throw noSuchUser()
        await tx
          .update(users)
          .set({
            totpSecret: null,
            totpPeriod: null,
            secondFactorAt: null,
            version: user.version + 1,
            updatedAt: sql`now()`,
          })
          .where(eq(users.id, id))
        await forgetCodes(tx, id)
      })
      await attempt.succeeded()
      logSecurity('second-factor-disabled', { user: id })
      return empty()
    },
  ),
)
