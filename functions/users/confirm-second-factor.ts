import { eq, sql } from 'drizzle-orm'
import { Problem } from '../shared/http/problems.ts'
import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { beginCode } from './attempts.ts'
import { renewCodes, takeAppCode } from './codes.ts'
import { findUser, lockUser } from './find-user.ts'
import { problems } from './problems.ts'
import { CodesOfUser, Confirmation, hasSecondFactor, secondFactorOff, wrongCode } from './second-factor.ts'
import { noSuchUser, users, type UserRow } from './user.ts'

/** Turns the second factor on with a code of the app. Returns the recovery codes, which are not shown again. */
export const confirmSecondFactor = operation(
  'confirm-second-factor',
  {
    request: { params: IdParam, body: Confirmation },
    responses: { 200: CodesOfUser },
    problems: [
      'not-found',
      problems['wrong-code'],
      problems['second-factor-on'],
      problems['second-factor-off'],
      'too-many-attempts',
    ],
  },
  async ({ params: { id }, body: { code }, user: caller, logSecurity, json }, { db, secondFactorKey }) => {
    if (caller.id !== id) throw noSuchUser()
    const found = await findUser(db, id)
    refuseUnlessEnrolling(found)
    const attempt = await beginCode(db, found.email!)
    const codes = await transaction(db, async (tx) => {
      const user = await lockUser(tx, id)
      if (user === undefined) throw noSuchUser()
      refuseUnlessEnrolling(user)
      if (!(await takeAppCode(tx, user, code, secondFactorKey))) throw wrongCode({ user: id })
      await tx
        .update(users)
        .set({ secondFactorAt: sql`now()`, version: user.version + 1, updatedAt: sql`now()` })
        .where(eq(users.id, id))
      return renewCodes(tx, id)
    })
    await attempt.succeeded()
    logSecurity('second-factor-enabled', { user: id })
    return json({ recoveryCodes: codes }, 200)
  },
)

function refuseUnlessEnrolling(user: UserRow): void {
  if (hasSecondFactor(user))
    throw new Problem(problems['second-factor-on'], { detail: 'It is confirmed already.' })
  if (user.totpSecret === null) throw secondFactorOff()
}
