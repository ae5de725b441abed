import { and, eq, gt, isNull, sql } from 'drizzle-orm'
import { operation } from '../shared/http/operation.ts'
import { transaction } from '../shared/store/transaction.ts'
import { noStore, users } from './user.ts'
import { endSession, prolongSession } from './families.ts'
import { hashOf, RefreshRequest, refreshTokens, sessionEnded, sessions, TokenPair } from './session.ts'
import { toTokenPair } from './tokens.ts'
import { problems } from './problems.ts'

export const refreshSession = operation(
  'refresh-session',
  { request: { body: RefreshRequest }, responses: { 200: TokenPair }, problems: [problems['session-ended']] },
  async ({ body, json }, { db, tokens }) => {
    const hash = hashOf(body.refreshToken)
    // the end of a family must be committed, so the transaction returns undefined instead of throwing
    const refreshed = await transaction(db, async (tx) => {
      // of several concurrent requests, only one finds the token unused
      const [used] = await tx
        .update(refreshTokens)
        .set({ usedAt: sql`now()` })
        .where(and(eq(refreshTokens.hash, hash), isNull(refreshTokens.usedAt)))
        .returning()
      if (used === undefined) {
        const [reused] = await tx.select().from(refreshTokens).where(eq(refreshTokens.hash, hash))
        if (reused !== undefined) await endSession(tx, reused.sessionId)
        return undefined
      }
      const [found] = await tx
        .select({ user: users })
        .from(sessions)
        .innerJoin(users, eq(users.id, sessions.userId))
        .where(
          and(
            eq(sessions.id, used.sessionId),
            isNull(sessions.endedAt),
            gt(sessions.expiresAt, sql`now()`),
            isNull(users.deletedAt),
          ),
        )
      if (found === undefined || used.expiresAt <= new Date()) return undefined
      const refreshToken = await prolongSession(tx, used.sessionId)
      return { user: found.user, session: { id: used.sessionId, refreshToken } }
    })
    if (refreshed === undefined) throw sessionEnded()
    return json(await toTokenPair(tokens, refreshed.user, refreshed.session), 200, noStore)
  },
)
