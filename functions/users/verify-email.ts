import { eq, sql } from 'drizzle-orm'
import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { EmailVerification } from './mailed-token.ts'
import { forgetTokens, takeToken } from './mailing.ts'
import { problems } from './problems.ts'
import { users } from './user.ts'

/** Confirms an e-mail address with the token that was sent there. Nobody need be logged in: mail is read anywhere. */
export const verifyEmail = operation(
  'verify-email',
  {
    request: { body: EmailVerification },
    responses: { 204: null },
    problems: [problems['wrong-token']],
  },
  async ({ body: { token }, logSecurity, empty }, { db }) => {
    const { id } = await transaction(db, async (tx) => {
      const user = await takeToken(tx, 'verification', token)
      await tx
        .update(users)
        .set({ emailVerifiedAt: sql`now()`, version: user.version + 1, updatedAt: sql`now()` })
        .where(eq(users.id, user.id))
      await forgetTokens(tx, user.id, 'verification')
      return user
    })
    logSecurity('email-verified', { user: id })
    return empty()
  },
)
