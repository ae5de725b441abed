import type { User as Caller } from '../shared/auth/access-token.ts'
import { and, eq, isNull, sql } from 'drizzle-orm'
import { prepared, type Db, type Tx } from '../shared/store/postgres.ts'
import { Problem } from '../shared/http/problems.ts'
import { sessionEnded } from '../shared/auth/ended-sessions.ts'
import { noSuchUser, users, type UserRow } from './user.ts'
import { problems } from './problems.ts'

const byId = prepared((db) =>
  db
    .select()
    .from(users)
    .where(and(eq(users.id, sql.placeholder('id')), isNull(users.deletedAt)))
    .prepare('user_by_id'),
)

const byEmail = prepared((db) =>
  // a deleted user has no e-mail address
  db
    .select()
    .from(users)
    .where(eq(users.email, sql.placeholder('email')))
    .prepare('user_by_email'),
)

/** @throws Problem 404 if there is no such user, or the user was deleted */
export async function findUser(db: Db, id: string): Promise<UserRow> {
  const [user] = await byId(db).execute({ id })
  if (user === undefined) throw noSuchUser()
  return user
}

/**
 * Returns the caller's own row.
 * @throws Problem 401 if the caller was deleted
 */
export async function callerRow(db: Db, caller: Caller): Promise<UserRow> {
  const [user] = await byId(db).execute({ id: caller.id })
  if (user === undefined) throw sessionEnded()
  return user
}

/** @param email normalised, as the schema `Email` returns it */
export async function findUserByEmail(db: Db, email: string): Promise<UserRow | undefined> {
  const [user] = await byEmail(db).execute({ email })
  return user
}

/** Lets other changes to a user, and to what belongs to them, wait for the end of the transaction. */
export async function lockUser(tx: Tx, id: string): Promise<UserRow | undefined> {
  const [user] = await tx
    .select()
    .from(users)
    .where(and(eq(users.id, id), isNull(users.deletedAt)))
    .for('no key update')
  return user
}

/**
 * Checks that another admin remains. Call it before an admin is demoted or deleted, and before locking any of
 * their rows. It locks all admins in the same order, so that if two admins demote each other, only one
 * succeeds.
 * @throws Problem 409 if no other admin would be left
 */
export async function keepOneAdmin(tx: Tx): Promise<void> {
  const admins = await tx
    .select({ id: users.id })
    .from(users)
    .where(and(eq(users.role, 'admin'), isNull(users.deletedAt)))
    .orderBy(users.id)
    .for('no key update')
  if (admins.length <= 1)
    throw new Problem(problems['last-admin'], {
      detail: 'Make another user an admin first: the shop needs one.',
    })
}
