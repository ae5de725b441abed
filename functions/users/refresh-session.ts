import { and, eq, gt, isNull, sql } from 'drizzle-orm'
import type * as z from 'zod'
import { operation } from '../shared/http/operation.ts'
import { sessionEnded } from '../shared/auth/ended-sessions.ts'
import { before, type Tx } from '../shared/store/postgres.ts'
import { transaction } from '../shared/store/transaction.ts'
import { users } from './user.ts'
import { clientOf, endSession, prolongSession, type Client } from './families.ts'
import { seal, unseal } from './sealed-answer.ts'
import { hashOf, RefreshRequest, refreshTokens, repeatMs, sessions, TokenPair } from './session.ts'
import { toTokenPair, type Tokens } from './tokens.ts'

type Pair = z.infer<typeof TokenPair>

export const refreshSession = operation(
  'refresh-session',
  { request: { body: RefreshRequest }, responses: { 200: TokenPair }, problems: ['session-ended'] },
  async ({ body: { refreshToken }, address, json, hono }, { db, tokens }) => {
    // the end of a family must be committed, so the transaction returns undefined instead of throwing
    const outcome = await transaction(
      db,
      async (tx) =>
        (await refresh(tx, tokens, refreshToken, clientOf(hono, address))) ??
        (await repeat(tx, refreshToken)),
    )
    if (outcome === undefined) throw sessionEnded()
    if ('reused' in outcome) throw sessionEnded({ reason: 'refresh token reused', session: outcome.reused })
    return json(outcome, 200)
  },
)

/**
 * Uses the token. Returns undefined if it was used before, is unknown or has expired, or if its session has ended.
 * Of several concurrent requests, only one finds it unused. The others wait until the answer is stored.
 */
async function refresh(
  tx: Tx,
  tokens: Tokens,
  refreshToken: string,
  client: Client,
): Promise<Pair | undefined> {
  const hash = hashOf(refreshToken)
  const [used] = await tx
    .update(refreshTokens)
    .set({ usedAt: sql`now()` })
    .where(and(eq(refreshTokens.hash, hash), isNull(refreshTokens.usedAt)))
    .returning()
  if (used === undefined || used.expiresAt <= new Date()) return undefined
  // first, because it locks the session: if the role changes now, the session ends after this, with its new token
  const next = await prolongSession(tx, used.sessionId, client)
  const user = await liveUser(tx, used.sessionId)
  if (next === undefined || user === undefined) return undefined
  const pair = await toTokenPair(tokens, user, { id: used.sessionId, refreshToken: next })
  await tx
    .update(refreshTokens)
    .set({ answer: seal(pair, refreshToken) })
    .where(eq(refreshTokens.hash, hash))
  return pair
}

/**
 * Returns the first answer to a token that was used a moment ago. A later reuse ends the session, whose id is then
 * returned as `reused`.
 */
async function repeat(tx: Tx, refreshToken: string): Promise<Pair | { reused: string } | undefined> {
  const [used] = await tx
    .select({
      sessionId: refreshTokens.sessionId,
      answer: refreshTokens.answer,
      isRecent: sql<boolean>`${refreshTokens.usedAt} > ${before(repeatMs)}`,
    })
    .from(refreshTokens)
    .where(eq(refreshTokens.hash, hashOf(refreshToken)))
  if (used === undefined) return undefined
  if (used.answer === null || !used.isRecent) {
    await endSession(tx, used.sessionId)
    return { reused: used.sessionId }
  }
  if ((await liveUser(tx, used.sessionId)) === undefined) return undefined
  return unseal(used.answer, refreshToken) as Pair
}

/** Returns the user of a session; undefined if the session has ended or expired, or the user was deleted. */
async function liveUser(tx: Tx, session: string) {
  const [found] = await tx
    .select({ id: users.id, role: users.role })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(
      and(
        eq(sessions.id, session),
        isNull(sessions.endedAt),
        gt(sessions.expiresAt, sql`now()`),
        isNull(users.deletedAt),
      ),
    )
  return found
}
