import { and, eq, gt, inArray, isNotNull, isNull, lt, ne, sql, type SQL } from 'drizzle-orm'
import type { Context } from 'hono'
import { uuidv7 } from 'uuidv7'
import type { User } from '../shared/auth/access-token.ts'
import { keptEndedMs, sessionEnded, type IsSessionEnded } from '../shared/auth/ended-sessions.ts'
import { before, prepared, type Db, type Tx } from '../shared/store/postgres.ts'
import { deviceOf, placeOf } from './device.ts'
import { hashOf, newRefreshToken, refreshTokenMs, refreshTokens, repeatMs, sessions } from './session.ts'

/** From where a session is used. */
export interface Client {
  /** The network, as `AddressOf` returns it. */
  address: string
  userAgent: string | undefined
}

/** Returns the client of a request. */
export const clientOf = (c: Context, address: string): Client => ({
  address,
  userAgent: c.req.header('user-agent'),
})

/** Returns what the list of sessions shows about a client. */
const shown = ({ address, userAgent }: Client) => ({
  device: deviceOf(userAgent),
  place: placeOf(address) ?? null,
})

/**
 * Starts a session and deletes the user's expired ones. Returns its id and first refresh token.
 * @param client from which the user logs in
 */
export async function startSession(tx: Tx, userId: string, client?: Client) {
  await tx.delete(sessions).where(and(eq(sessions.userId, userId), lt(sessions.expiresAt, sql`now()`)))
  const id = uuidv7()
  await tx
    .insert(sessions)
    .values({ id, userId, expiresAt: expiry(), ...(client && { network: client.address, ...shown(client) }) })
  return { id, refreshToken: await addRefreshToken(tx, id) }
}

/**
 * Extends a session and returns its next refresh token, which expires when the session does; undefined if it has
 * ended. Answers that are kept for repeated refreshes are deleted once they are too old.
 */
export async function prolongSession(tx: Tx, id: string, client: Client): Promise<string | undefined> {
  const { count } = await tx
    .update(sessions)
    .set({ expiresAt: expiry(), ...shown(client) })
    .where(and(eq(sessions.id, id), isNull(sessions.endedAt)))
  if (count === 0) return undefined
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

/** Ends a session. Its refresh tokens become invalid, and soon its access tokens. */
export const endSession = (tx: Tx, id: string): Promise<number> => end(tx, eq(sessions.id, id))

/** Ends a session of a user. Returns false if the user has no such session, or it has ended or expired. */
export const endOwnSession = async (tx: Tx, id: string, userId: string): Promise<boolean> =>
  (await end(tx, eq(sessions.id, id), eq(sessions.userId, userId), gt(sessions.expiresAt, sql`now()`))) > 0

/**
 * Ends every session of a user. Returns how many there were.
 * @param except the id of a session that goes on
 */
export const endSessionsOf = (tx: Tx, userId: string, except?: string): Promise<number> =>
  end(tx, eq(sessions.userId, userId), except === undefined ? undefined : ne(sessions.id, except))

/**
 * Forgets what only the sessions of a deleted user tell: from where and with what they were used, and their refresh
 * tokens. Their ids stay, because access tokens outlive them for some minutes.
 */
export async function forgetSessionsOf(tx: Tx, userId: string): Promise<void> {
  const theirs = eq(sessions.userId, userId)
  await tx.delete(sessions).where(and(theirs, lt(sessions.endedAt, before(keptEndedMs))))
  await tx.delete(sessions).where(and(theirs, lt(sessions.expiresAt, sql`now()`)))
  const left = await tx
    .update(sessions)
    .set({ network: null, device: null, place: null })
    .where(theirs)
    .returning({ id: sessions.id })
  const ids = left.map(({ id }) => id)
  if (ids.length > 0) await tx.delete(refreshTokens).where(inArray(refreshTokens.sessionId, ids))
}

async function end(tx: Tx, ...which: (SQL | undefined)[]): Promise<number> {
  const ended = await tx
    .update(sessions)
    .set({ endedAt: sql`now()` })
    .where(and(isNull(sessions.endedAt), ...which))
    .returning()
  const live = ended.filter(mayHaveToken)
  const [userId] = live.map((session) => session.userId)
  if (userId === undefined) return ended.length
  const ids = live.map(({ id }) => id)
  for (let first = 0; first < ids.length; first += mostInEvent)
    await tx.emit('session.ended', userId, { userId, sessionIds: ids.slice(first, first + mostInEvent) })
  return ended.length
}

/** The most sessions in one event. A user may have any number, but neither the broker nor a reaction takes 1 MiB. */
const mostInEvent = 1_000

const byId = prepared((db) =>
  db
    .select({ endedAt: sessions.endedAt })
    .from(sessions)
    .where(eq(sessions.id, sql.placeholder('id')))
    .prepare('session_by_id'),
)

/** Returns a check against the sessions themselves: this domain needs no projection. */
export const endedInUsers =
  (db: Db): IsSessionEnded =>
  async (id) =>
    (await byId(db).execute({ id }))[0]?.endedAt != null

/** Whether the session's last access token may not have expired yet. It was issued when the session was extended. */
const mayHaveToken = ({ expiresAt }: { expiresAt: Date }) =>
  expiresAt.getTime() - refreshTokenMs + keptEndedMs > Date.now()

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
