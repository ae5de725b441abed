import type { User } from '../shared/auth/access-token.ts'
import { Problem } from '../shared/http/problems.ts'
import type { Db } from '../shared/store/postgres.ts'
import { beginCode, openAttempts } from './attempts.ts'
import { refuseEnded } from './families.ts'
import { callerRow } from './find-user.ts'
import { verifyPassword } from './password.ts'
import { problems } from './problems.ts'
import { hasSecondFactor, secondFactorNeeded } from './second-factor.ts'

/**
 * Checks the caller's own current password. It stands before every change with which the holder of a stolen access
 * token could take an account over. Wrong passwords are counted like failed log-ins, so that the token cannot be used
 * to guess the password.
 * @throws Problem 400 if the password is missing, 401 if the session has ended, 403 if the password is wrong, 429 if
 *   there were too many attempts
 */
export async function stepUp(...given: Parameters<typeof begin>): Promise<void> {
  const attempt = await begin(...given)
  await attempt.succeeded()
}

/**
 * Does the same before a change that also needs a code if the caller has a second factor. The caller checks the code, and
 * then calls `succeeded`.
 * @throws Problem also 401 if the code is missing
 */
export async function beginCodeStepUp(
  db: Db,
  caller: Parameters<typeof begin>[1],
  { currentPassword, code }: { currentPassword: string; code?: string | undefined },
) {
  const attempt = await begin(db, caller, currentPassword)
  if (!hasSecondFactor(attempt.user)) return attempt
  if (code === undefined) {
    await attempt.takeBack()
    throw secondFactorNeeded({ user: attempt.user.id })
  }
  const codeAttempt = await beginCode(db, attempt.user.email!)
  return { succeeded: () => Promise.all([attempt.succeeded(), codeAttempt.succeeded()]) }
}

async function begin(
  db: Db,
  { user: caller, address }: { user: User; address: string },
  currentPassword: string | undefined,
) {
  await refuseEnded(db, caller)
  if (currentPassword === undefined)
    throw new Problem('invalid-request', {
      detail: 'Send your own current password as currentPassword.',
      errors: [{ pointer: '/body/currentPassword', detail: 'needed for this change' }],
    })
  const row = await callerRow(db, caller)
  const attempt = await openAttempts(db).begin(address, row.email!)
  if (!(await verifyPassword(row.passwordHash, currentPassword)))
    throw new Problem(problems['wrong-password'], {
      detail: 'Send your own current password as currentPassword.',
    })
  return { ...attempt, user: row }
}
