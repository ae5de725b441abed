import * as z from 'zod'
import { sql } from 'drizzle-orm'
import { bigint, check, index, integer, pgSchema, text, uuid, type AnyPgColumn } from 'drizzle-orm/pg-core'
import type { Role } from '../shared/domain.ts'
import { time } from '../shared/store/columns.ts'
import { isStaff, type User as Caller } from '../shared/auth/access-token.ts'
import { idempotencyTable } from '../shared/store/idempotency-table.ts'
import { PageQuery, pageOf } from '../shared/http/paging.ts'
import { Problem } from '../shared/http/problems.ts'
import { Id, text as Text, Timestamp, when } from '../shared/schemas/schemas.ts'
import { Email } from '../shared/schemas/email.ts'
import { problems } from './problems.ts'

/** Users: tables, schemas and permissions. Everything here is pure. */

/** Also holds the sessions, because deleting an account ends its sessions in the same transaction. */
export const schema = pgSchema('users')

/** Sorts a text as `Intl.Collator` does, in the order of no particular language, and not by code point. */
export const inOrder = (column: AnyPgColumn) => sql`${column} collate "und-x-icu"`

export const users = schema.table(
  'users',
  {
    id: uuid().primaryKey(),
    /** Normalised, so that it is unique in whatever form it is sent. */
    email: text().unique('users_email'),
    name: text(),
    passwordHash: text('password_hash'),
    /** When the user confirmed the present e-mail address. */
    emailVerifiedAt: time('email_verified_at'),
    /** The secret of the user's authenticator app, sealed (codes.ts). */
    totpSecret: text('totp_secret'),
    /** The period of the last code that was accepted. */
    totpPeriod: bigint('totp_period', { mode: 'number' }),
    /** Since when a log-in needs a code. Until the app is confirmed, it needs none. */
    secondFactorAt: time('second_factor_at'),
    role: text().$type<Role>().notNull(),
    version: integer().notNull().default(1),
    createdAt: time('created_at').notNull().defaultNow(),
    updatedAt: time('updated_at').notNull().defaultNow(),
    deletedAt: time('deleted_at'),
  },
  (t) => [
    index().on(t.role, t.id),
    index('users_by_name').on(inOrder(t.name), t.id),
    // for parts of them (pg_trgm)
    index('users_search').using('gin', t.name.op('gin_trgm_ops'), t.email.op('gin_trgm_ops')),
    check(
      'users_whole_or_anonymous',
      sql`case when ${t.deletedAt} is null then num_nulls(${t.email}, ${t.name}, ${t.passwordHash}) = 0 else num_nonnulls(${t.email}, ${t.name}, ${t.passwordHash}) = 0 end`,
    ),
  ],
)

export type UserRow = typeof users.$inferSelect

export const idempotencyKeys = idempotencyTable(schema)

const roles = ['customer', 'seller', 'staff', 'admin'] as const satisfies readonly Role[]

/** Normalised to NFKC, so that the same characters from another keyboard match (NIST SP 800-63B, 3.1.1.2). */
export const Password = z.string().normalize('NFKC').min(10).max(200).meta({
  format: 'password',
  example: 'correct horse battery',
  description: 'Common and repetitive passwords, and those made of your name or e-mail address, are refused.',
})

const Name = Text(100).meta({ example: 'Ada Lovelace' })

export const User = z
  .object({
    id: Id,
    email: z.string(),
    emailVerified: z.boolean(),
    secondFactor: z.boolean().meta({ description: 'Whether a log-in needs a code of an app.' }),
    name: z.string(),
    role: z.enum(roles),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'User' })
export type User = z.infer<typeof User>

export const UserPage = pageOf(User, 'UserPage')

export const NewUser = z
  .strictObject({ email: Email, name: Name, password: Password })
  .meta({ id: 'NewUser' })
export type NewUser = z.output<typeof NewUser>

/** It is only compared, so it may be shorter than a new password. */
export const CurrentPassword = z.string().normalize('NFKC').min(1).max(200).meta({
  format: 'password',
  description:
    'Your own current password. Needed to change an e-mail address, a password or a role, and to delete an account.',
})

export const UserChange = z
  .strictObject({
    email: Email.optional(),
    name: Name.optional(),
    password: Password.optional(),
    currentPassword: CurrentPassword.optional(),
    role: z.enum(roles).optional().meta({ description: 'Only an admin may change it.' }),
  })
  .refine((change) => Object.keys(change).some((field) => field !== 'currentPassword'), {
    error: 'nothing to change',
  })
  .meta({
    id: 'UserChange',
    minProperties: 1,
    ...when({ required: ['currentPassword'] }, { minProperties: 2 }),
  })
export type UserChange = z.output<typeof UserChange>

export const UserDeletion = z.strictObject({ currentPassword: CurrentPassword }).meta({ id: 'UserDeletion' })

export const UserQuery = PageQuery.extend({
  role: z.enum(roles).optional(),
  q: Text(100).optional().meta({ description: 'A part of the name or e-mail address.' }),
  sort: z.enum(['createdAt', '-createdAt', 'email', '-email', 'name', '-name']).default('createdAt'),
})

/** Returns whether the caller may see a user: users see themselves, staff see everyone. */
export const maySee = (caller: Caller, id: string) => caller.id === id || isStaff(caller)

/** Returns whether the caller may change a user: users change themselves, admins change everyone. */
export const mayChange = (caller: Caller, id: string) => caller.id === id || caller.role === 'admin'

/**
 * Returns whether the change ends the user's sessions. A new role or password does: existing tokens contain
 * the old role or were issued for the old password.
 */
export const endsSessions = (change: UserChange, current: UserRow) =>
  change.password !== undefined || (change.role !== undefined && change.role !== current.role)

/** Returns whether the change takes the admin role away. */
export const demotes = (change: UserChange, current: UserRow) =>
  current.role === 'admin' && change.role !== undefined && change.role !== 'admin'

/** @throws Problem 403 if the change sets a role and the caller is not an admin */
export function refuseRole(caller: Caller, change: UserChange): void {
  if (change.role !== undefined && caller.role !== 'admin')
    throw new Problem('wrong-role', { detail: 'Only an admin may set a role.' })
}

export const changesEmail = (change: UserChange, current: UserRow) =>
  change.email !== undefined && change.email !== current.email

/**
 * Returns whether the caller must send their current password: if whoever makes the change could take the account
 * over, or give rights to an account of their own.
 */
export const needsCurrentPassword = (change: UserChange, current: UserRow) =>
  changesEmail(change, current) ||
  change.password !== undefined ||
  (change.role !== undefined && change.role !== current.role)

/** Converts the row of a user who is not deleted to the API's user. */
export const toUser = ({
  id,
  email,
  emailVerifiedAt,
  secondFactorAt,
  name,
  role,
  createdAt,
  updatedAt,
}: UserRow): User => ({
  id,
  email: email ?? '',
  emailVerified: emailVerifiedAt !== null,
  secondFactor: secondFactorAt !== null,
  name: name ?? '',
  role,
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
})

export const pathOf = (id: string) => `/api/v1/users/${id}`

export const noSuchUser = () => new Problem('not-found', { detail: 'There is no such user.' })

export const emailTaken = () =>
  new Problem(problems['email-taken'], {
    detail: 'Another user has this e-mail address: log in, or take another.',
  })
