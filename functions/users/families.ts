import { and, eq, isNotNull, isNull, lt, ne, sql } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import type { User } from '../shared/auth/access-token.ts'
import { before, type Db, type Tx } from '../shared/store/postgres.ts'
import {
  hashOf,
  newRefreshToken,
  refreshTokenMs,
  refreshTokens,
  repeatMs,
  sessionEnded,
  sessions,
} from './session.ts'

/**
 * Starts a session and deletes the user's expired ones. Returns its id and first refresh token.
 * @param network from which the user logs in
 */
export async function startSession(tx: Tx, userId: string, network?: string) {
  await tx.delete(sessions).where(and(eq(sessions.userId, userId), lt(sessions.expiresAt, sql`now()`)))
  const id = uuidv7()
  await tx.insert(sessions).values({ id, userId, expiresAt: expiry(), network })
  return { id, refreshToken: await addRefreshToken(tx, id) }
}

/**
 * Extends a session and returns its next refresh token, which expires when the session does. Answers that are kept
 * for repeated refreshes are deleted once they are too old.
 */
export async function prolongSession(tx: Tx, id: string): Promise<string> {
  await tx.update(sessions).set({ expiresAt: expiry() }).where(eq(sessions.id, id))
  await tx
    .update(refreshTokens)
    .set({ answer: null })
    .where(
      and(
        eq(refreshTokens.sessionId, id),
        isNotNull(refreshTokens.answer),
        lt(refreshTokens.usedAt, before(repeatMs)),
      ),
    )
  await tx
    .delete(refreshTokens)
    .where(and(eq(refreshTokens.sessionId, id), lt(refreshTokens.expiresAt, sql`now()`)))
  return addRefreshToken(tx, id)
}

async function addRefreshToken(tx: Tx, sessionId: string): Promise<string> {
  const token = newRefreshToken()
  await tx.insert(refreshTokens).values({ hash: hashOf(token), sessionId, expiresAt: expiry() })
  return token
}

/** Ends a session. Its refresh tokens become invalid. */
export async function endSession(tx: Tx, id: string): Promise<void> {
  await tx
    .update(sessions)
    .set({ endedAt: sql`now()` })
    .where(and(eq(sessions.id, id), isNull(sessions.endedAt)))
}

/**
 * Ends every session of a user.
 * @param except the id of a session that goes on
 */
export async function endSessionsOf(tx: Tx, userId: string, except?: string): Promise<void> {
  await tx
    .update(sessions)
    .set({ endedAt: sql`now()` })
    .where(
      and(
        eq(sessions.userId, userId),
        isNull(sessions.endedAt),
        except === undefined ? undefined : ne(sessions.id, except),
      ),
    )
}

/**
 * Rejects a caller whose session has ended. An access token outlives its session by up to 15 minutes, because
 * it is verified without reading the session. For changes to accounts that is too long: a demoted admin could
 * restore the role.
 * @throws Problem 401 if the caller's session has ended
 */
export async function refuseEnded(db: Db | Tx, { session }: User): Promise<void> {
  const [found] = await db
    .select({ endedAt: sessions.endedAt })
    .from(sessions)
    .where(eq(sessions.id, session))
  if (found?.endedAt != null) throw sessionEnded()
}

const expiry = () => new Date(Date.now() + refreshTokenMs)
