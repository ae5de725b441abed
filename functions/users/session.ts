import { createHash, randomBytes } from 'node:crypto'
import * as z from 'zod'
import { index, text, uuid } from 'drizzle-orm/pg-core'
import { time } from '../shared/store/columns.ts'
import { countsTable, requestCountsTable } from '../shared/store/counts-table.ts'
import { Problem } from '../shared/http/problems.ts'
import type { SecurityDetails } from '../shared/http/security-log.ts'
import { PageQuery, pageOf } from '../shared/http/paging.ts'
import { Email } from '../shared/schemas/email.ts'
import { Id, Timestamp } from '../shared/schemas/schemas.ts'
import { deviceOf } from './device.ts'
import { Code } from './second-factor.ts'
import { schema, User, users } from './user.ts'
import { problems } from './problems.ts'

/**
 * Sessions: tables, schemas and refresh tokens.
 *
 * A session is a family of refresh tokens (RFC 9700, 4.14.2). Each token is valid for one refresh, which
 * returns the next token. For a few seconds, the same token gets the same answer again: an answer may be lost,
 * and two tabs may refresh at once. After that, one of the two senders must have stolen it, so the session ends.
 */

/** How long a session lasts without a refresh. */
export const refreshTokenMs = 30 * 24 * 60 * 60 * 1000

/** How long a refresh token gets the same answer again after it was used. */
export const repeatMs = 10_000

export const sessions = schema.table(
  'sessions',
  {
    id: uuid().primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    createdAt: time('created_at').notNull().defaultNow(),
    /** When its newest token expires. The session was last used when that was issued. */
    expiresAt: time('expires_at').notNull(),
    endedAt: time('ended_at'),
    /** The network from which the user logged in: it has a budget of its own for wrong passwords (attempts.ts). */
    network: text(),
    /** The device that used it last, in the words of device.ts, and from where. */
    device: text(),
    place: text(),
  },
  (t) => [index().on(t.userId)],
)

export const refreshTokens = schema.table(
  'refresh_tokens',
  {
    /** SHA-256: the token is random, so a slow hash would add nothing. */
    hash: text().primaryKey(),
    sessionId: uuid('session_id')
      .notNull()
      .references(() => sessions.id, { onDelete: 'cascade' }),
    createdAt: time('created_at').notNull().defaultNow(),
    expiresAt: time('expires_at').notNull(),
    usedAt: time('used_at'),
    /** The answer to its refresh, which only the holder of the token can decrypt (sealed-answer.ts). */
    answer: text(),
  },
  (t) => [index().on(t.sessionId)],
)

/** The number of login attempts of each budget (attempts.ts). */
export const attempts = countsTable(schema, 'attempts')

export const requestCounts = requestCountsTable(schema)

export const Credentials = z
  .strictObject({
    email: Email,
    password: z.string().normalize('NFKC').min(1).max(200).meta({ format: 'password' }),
    code: Code.optional().meta({
      description: 'Needed if the user has a second factor: a code of the app, or a recovery code.',
    }),
  })
  .meta({ id: 'Credentials' })

export const RefreshRequest = z
  .strictObject({ refreshToken: z.string().min(1).max(200) })
  .meta({ id: 'RefreshRequest' })

export const TokenPair = z
  .object({
    accessToken: z.string().meta({ description: 'A JWT, to be sent as Authorization: Bearer.' }),
    tokenType: z.literal('Bearer'),
    expiresIn: z.int().meta({ description: 'Seconds until the access token expires.' }),
    refreshToken: z.string().meta({
      description:
        'Valid for one refresh within 30 days. For 10 s after that it gets the same answer again; later, it ends the session.',
    }),
  })
  .meta({ id: 'TokenPair' })

export const Session = z
  .object({
    id: Id,
    device: z.string().meta({ example: 'Firefox on Linux' }),
    place: z.string().nullable().meta({
      description:
        'The network from which it was last used: the /24 of an IPv4 address or the /48 of an IPv6 address; null if it is not known.',
      example: '203.0.113.0/24',
    }),
    createdAt: Timestamp.meta({ description: 'When somebody logged in. RFC 3339, UTC' }),
    usedAt: Timestamp.meta({
      description: 'When it last got tokens: by the log-in or a refresh. RFC 3339, UTC',
    }),
    current: z.boolean().meta({ description: 'Whether it is the session of this request.' }),
  })
  .meta({ id: 'Session' })

export const SessionPage = pageOf(Session, 'SessionPage')

export const SessionQuery = PageQuery.extend({
  sort: z.enum(['createdAt', '-createdAt']).default('-createdAt'),
})

/**
 * Converts a row to the API's session.
 * @param current the id of the caller's session
 */
export const toSession = (
  { id, device, place, createdAt, expiresAt }: typeof sessions.$inferSelect,
  current: string,
): z.infer<typeof Session> => ({
  id,
  device: device ?? deviceOf(undefined),
  place,
  createdAt: createdAt.toISOString(),
  usedAt: new Date(expiresAt.getTime() - refreshTokenMs).toISOString(),
  current: id === current,
})

export const LoggedIn = TokenPair.extend({ user: User }).meta({ id: 'LoggedIn' })

export const JwkSet = z
  .object({
    keys: z.array(
      z.object({
        kty: z.string(),
        crv: z.string(),
        x: z.string(),
        kid: z.string().optional(),
        use: z.string().optional(),
        alg: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'JwkSet', description: 'RFC 7517, RFC 8037' })

/** Returns a new refresh token: 256 random bits as base64url. */
export const newRefreshToken = () => randomBytes(32).toString('base64url')

/** Returns the hash under which a refresh token is stored. */
export const hashOf = (refreshToken: string) => createHash('sha256').update(refreshToken).digest('base64url')

export const wrongCredentials = (security: SecurityDetails) =>
  new Problem(problems['wrong-credentials'], { detail: 'Check both, or register first.', security })
