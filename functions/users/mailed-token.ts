import { index, text, uuid } from 'drizzle-orm/pg-core'
import * as z from 'zod'
import { Problem } from '../shared/http/problems.ts'
import { time } from '../shared/store/columns.ts'
import { Email } from '../shared/schemas/email.ts'
import { problems } from './problems.ts'
import { Password, schema } from './user.ts'

/**
 * Tokens that are mailed to a user, to prove that the user reads mail at the address: table and schemas. Each is valid
 * once, for one purpose, and only until the user has another address.
 */

const hour = 60 * 60 * 1000

/** How long a token is valid, in ms, by its purpose. */
export const mailedTokenMs = { verification: 24 * hour, reset: hour } as const

export type Purpose = keyof typeof mailedTokenMs

export const mailedTokens = schema.table(
  'mailed_tokens',
  {
    /** SHA-256: the token is random, so a slow hash would add nothing. */
    hash: text().primaryKey(),
    /** Without a reference: what a request for an unknown address writes is rolled back, but must be possible. */
    userId: uuid('user_id').notNull(),
    purpose: text().$type<Purpose>().notNull(),
    expiresAt: time('expires_at').notNull(),
  },
  (t) => [index().on(t.userId)],
)

const Token = z.string().min(1).max(200).meta({ description: 'The token from the e-mail.' })

export const EmailVerification = z.strictObject({ token: Token }).meta({ id: 'EmailVerification' })

export const PasswordResetRequest = z.strictObject({ email: Email }).meta({ id: 'PasswordResetRequest' })

export const PasswordReset = z
  .strictObject({ token: Token, password: Password })
  .meta({ id: 'PasswordReset' })

export const wrongToken = () =>
  new Problem(problems['wrong-token'], {
    detail: 'It was used already, is too old, or belongs to an earlier address: ask for another e-mail.',
  })
