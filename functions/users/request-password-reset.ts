import { eq, TransactionRollbackError } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import type { Tx } from '../shared/store/postgres.ts'
import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { PasswordResetRequest } from './mailed-token.ts'
import { openMailLimits } from './mail-limits.ts'
import { mailToken } from './mailing.ts'
import { users } from './user.ts'

/**
 * Mails a link with which a user sets a new password. The answer does not tell whether anybody has the e-mail address,
 * nor does the time that it takes: for an unknown address everything is written, too, and rolled back.
 */
export const requestPasswordReset = operation(
  'request-password-reset',
  {
    request: { body: PasswordResetRequest },
    responses: { 204: null },
    problems: ['too-many-attempts'],
  },
  async ({ body: { email }, address, logSecurity, empty }, { db }) => {
    const mayMail = await openMailLimits(db).mayMail('reset', address, email)
    const user = await transaction(db, async (tx) => {
      const [found] = await tx
        .select({ id: users.id })
        .from(users)
        .where(eq(users.email, email))
        .for('no key update')
      await mailOnlyIf(tx, mayMail && found !== undefined, { id: found?.id ?? uuidv7(), email })
      return found
    })
    logSecurity('password-reset-requested', { user: user?.id ?? 'unknown' })
    return empty()
  },
)

/** Mails a token, or does the same work without an effect. */
async function mailOnlyIf(tx: Tx, isWanted: boolean, user: { id: string; email: string }): Promise<void> {
  try {
    await tx.transaction(async (savepoint) => {
      await mailToken(tx, 'reset', user)
      if (!isWanted) savepoint.rollback()
    })
  } catch (error) {
    if (!(error instanceof TransactionRollbackError)) throw error
  }
}
