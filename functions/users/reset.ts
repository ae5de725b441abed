import { eq, sql } from 'drizzle-orm'
import type { LogSecurity } from '../shared/http/security-log.ts'
import type { Db } from '../shared/store/postgres.ts'
import { transaction } from '../shared/store/transaction.ts'
import { forgetAttempts } from './attempts.ts'
import { endSessionsOf } from './families.ts'
import { forgetTokens, takeToken } from './mailing.ts'
import { hashPassword } from './password.ts'
import { users } from './user.ts'

/**
 * Sets a new password with a token that was mailed. Every session ends: whoever forgot the password may have lost a
 * device, too. Wrong passwords that strangers have tried no longer count. The address is verified by that as well.
 * @throws Problem 403 if the token is not valid
 */
export async function reset(
  db: Db,
  { token, password }: { token: string; password: string },
  logSecurity: LogSecurity,
): Promise<void> {
  const passwordHash = await hashPassword(password)
  const { id } = await transaction(db, async (tx) => {
    const user = await takeToken(tx, 'reset', token)
    await tx
      .update(users)
      .set({
        passwordHash,
        emailVerifiedAt: user.emailVerifiedAt ?? sql`now()`,
        version: user.version + 1,
        updatedAt: sql`now()`,
      })
      .where(eq(users.id, user.id))
    await forgetTokens(tx, user.id)
    await endSessionsOf(tx, user.id)
    await forgetAttempts(tx, user.email!)
    return user
  })
  logSecurity('password-changed', { user: id })
}
