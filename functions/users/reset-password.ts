import { eq, sql } from 'drizzle-orm'
import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { forgetAttempts } from './attempts.ts'
import { endSessionsOf } from './families.ts'
import { hashing } from './hashing.ts'
import { PasswordReset } from './mailed-token.ts'
import { forgetTokens, holderOf, takeToken } from './mailing.ts'
import { hashPassword } from './password.ts'
import { refuseWeakPassword } from './password-rules.ts'
import { problems } from './problems.ts'
import { users } from './user.ts'

/**
 * Sets a new password with a token that was mailed. Every session ends: whoever forgot the password may have lost a
 * device, too. Wrong passwords that strangers have tried no longer count. The address is verified by that as well.
 */
export const resetPassword = operation(
  'reset-password',
  {
    request: { body: PasswordReset },
    responses: { 204: null },
    problems: [problems['wrong-token'], 'overloaded'],
  },
  hashing(async ({ body: { token, password }, logSecurity, empty }, { db }) => {
    const { email, name } = await holderOf(db, 'reset', token)
    await refuseWeakPassword(password, { email: email!, name: name! })
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
    return empty()
  }),
)
