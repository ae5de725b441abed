import type { User } from '../shared/auth/access-token.ts'
import { Problem } from '../shared/http/problems.ts'
import type { Db } from '../shared/store/postgres.ts'
import { openAttempts } from './attempts.ts'
import { refuseEnded } from './families.ts'
import { callerRow } from './find-user.ts'
import { verifyPassword } from './password.ts'
import { problems } from './problems.ts'

/**
 * Checks the caller's own current password. It stands before every change with which the holder of a stolen access
 * token could take an account over. Wrong passwords are counted like failed log-ins, so that the token cannot be used
 * to guess the password.
 * @throws Problem 400 if the password is missing, 401 if the session has ended, 403 if the password is wrong, 429 if
 *   there were too many attempts
 */
export async function stepUp(
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
  const { email, passwordHash } = await callerRow(db, caller)
  const attempt = await openAttempts(db).begin(address, email!)
  if (!(await verifyPassword(passwordHash, currentPassword)))
    throw new Problem(problems['wrong-password'], {
      detail: 'Send your own current password as currentPassword.',
    })
  await attempt.succeeded()
}
