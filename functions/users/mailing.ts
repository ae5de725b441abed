import { and, eq, gt, lt, sql } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { leaveSecret } from '../../events/secrets.ts'
import type { Db, Tx } from '../shared/store/postgres.ts'
import { lockUser } from './find-user.ts'
import { mailedTokenMs, mailedTokens, wrongToken, type Purpose } from './mailed-token.ts'
import { hashOf, newRefreshToken as newToken } from './session.ts'
import { users, type UserRow } from './user.ts'

/*
 * The mail itself is written by the notifications domain. It gets the address and the token as a secret, because events
 * contain neither. Here, only the token's hash is kept.
 */

const events = {
  verification: 'user.verification-requested',
  reset: 'user.password-reset-requested',
} as const

/** Has a token mailed to a user. It does not end the validity of earlier ones, whose mails may arrive later. */
export async function mailToken(
  tx: Tx,
  purpose: Purpose,
  { id: userId, email }: { id: string; email: string },
): Promise<void> {
  const [token, requestId] = [newToken(), uuidv7()]
  await tx
    .delete(mailedTokens)
    .where(and(eq(mailedTokens.userId, userId), lt(mailedTokens.expiresAt, sql`now()`)))
  await tx.insert(mailedTokens).values({
    hash: hashOf(token),
    userId,
    purpose,
    expiresAt: new Date(Date.now() + mailedTokenMs[purpose]),
  })
  await leaveSecret(tx, 'notifications', requestId, JSON.stringify({ email, token }))
  await tx.emit(events[purpose], userId, { userId, requestId })
}

/**
 * Returns the user who was mailed a token.
 * @throws Problem 403 if the token is not valid
 */
export async function holderOf(db: Db | Tx, purpose: Purpose, token: string): Promise<UserRow> {
  const [found] = await db
    .select({ user: users })
    .from(mailedTokens)
    .innerJoin(users, eq(users.id, mailedTokens.userId))
    .where(isValid(purpose, token))
  if (found === undefined) throw wrongToken()
  return found.user
}

/**
 * Uses a token, and locks its user for the rest of the transaction. Of several requests with one token, one succeeds.
 * @throws Problem 403 if the token is not valid
 */
export async function takeToken(tx: Tx, purpose: Purpose, token: string): Promise<UserRow> {
  const { id } = await holderOf(tx, purpose, token)
  // the user first, as a change of the address does
  const user = await lockUser(tx, id)
  const { count } = await tx.delete(mailedTokens).where(isValid(purpose, token))
  if (user === undefined || count === 0) throw wrongToken()
  return user
}

/** Makes the tokens of a user invalid. */
export async function forgetTokens(tx: Tx, userId: string, purpose?: Purpose): Promise<void> {
  await tx
    .delete(mailedTokens)
    .where(
      and(
        eq(mailedTokens.userId, userId),
        purpose === undefined ? undefined : eq(mailedTokens.purpose, purpose),
      ),
    )
}

const isValid = (purpose: Purpose, token: string) =>
  and(
    eq(mailedTokens.hash, hashOf(token)),
    eq(mailedTokens.purpose, purpose),
    gt(mailedTokens.expiresAt, sql`now()`),
  )
