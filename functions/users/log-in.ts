import { and, eq } from 'drizzle-orm'
import { operation } from '../shared/http/operation.ts'
import { transaction } from '../shared/store/transaction.ts'
import { findUserByEmail } from './find-user.ts'
import { toUser, users } from './user.ts'
import { beginCode, openAttempts } from './attempts.ts'
import { requireCode } from './codes.ts'
import { clientOf, startSession } from './families.ts'
import { hashing } from './hashing.ts'
import { hashPassword, needsRehash, verifyPassword } from './password.ts'
import { hasSecondFactor, secondFactorNeeded } from './second-factor.ts'
import { Credentials, LoggedIn, wrongCredentials } from './session.ts'
import { toTokenPair } from './tokens.ts'
import { problems } from './problems.ts'

export const logIn = operation(
  'log-in',
  {
    request: { body: Credentials },
    responses: { 201: LoggedIn },
    problems: [
      problems['wrong-credentials'],
      problems['second-factor-needed'],
      problems['wrong-code'],
      'too-many-attempts',
      'overloaded',
    ],
    headers: ['Location'],
  },
  hashing(
    async (
      { body: { email, password, code }, address, logSecurity, json, hono },
      { db, tokens, secondFactorKey },
    ) => {
      const found = await findUserByEmail(db, email)
      const security = { user: found?.id ?? 'unknown' }
      const attempt = await openAttempts(db).begin(address, email, security)
      const verified = found?.passwordHash
      if (!(await verifyPassword(verified, password)) || verified == null) throw wrongCredentials(security)
      if (hasSecondFactor(found!) && code === undefined) {
        // a right password alone clears no count: it would let its holder guess codes without end
        await attempt.takeBack()
        throw secondFactorNeeded(security)
      }
      const codeAttempt = hasSecondFactor(found!) ? await beginCode(db, email, security) : undefined
      const passwordHash = needsRehash(verified) ? await hashPassword(password) : verified

      const { user, session } = await transaction(db, async (tx) => {
        // verifying takes a while: meanwhile the password may have been changed or the user deleted
        const [user] = await tx
          .select()
          .from(users)
          .where(and(eq(users.id, found!.id), eq(users.passwordHash, verified)))
          .for('no key update')
        if (user === undefined) throw wrongCredentials(security)
        await requireCode(tx, user, code, { secondFactorKey, logSecurity })
        if (passwordHash !== verified)
          await tx.update(users).set({ passwordHash }).where(eq(users.id, user.id))
        return { user, session: await startSession(tx, user.id, clientOf(hono, address)) }
      })
      await Promise.all([attempt.succeeded(), codeAttempt?.succeeded()])
      logSecurity('logged-in', { user: user.id, session: session.id })

      const pair = await toTokenPair(tokens, user, session)
      return json({ ...pair, user: toUser(user) }, 201, { Location: '/api/v1/sessions/current' })
    },
  ),
)
