import { eq, sql } from 'drizzle-orm'
import type { Db } from '../shared/store/postgres.ts'
import { transaction } from '../shared/store/transaction.ts'
import type { LogSecurity } from '../shared/http/security-log.ts'
import { forgetTokens, takeToken } from './mailing.ts'
import { users } from './user.ts'

/**
 * Confirms an e-mail address with the token that was sent there.
 * @throws Problem 403 if the token is not valid
 */
export async function verify(db: Db, token: string, logSecurity: LogSecurity): Promise<void> {
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
}
