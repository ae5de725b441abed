import { decodeJwt } from 'jose'
import { expect } from 'vitest'
import postgres from 'postgres'
import { uuidv7 } from 'uuidv7'
import type { Role } from '../functions/shared/domain.ts'
import type { User } from '../functions/shared/auth/access-token.ts'
import { transaction } from '../functions/shared/store/transaction.ts'
import { startSession } from '../functions/users/families.ts'
import { hashPassword } from '../functions/users/password.ts'
import { toTokenPair } from '../functions/users/tokens.ts'
import { users } from '../functions/users/user.ts'
import type { TestShop } from './shop.ts'

export const password = 'correct horse battery'

/** A user with a session, both in the database. */
export interface Account extends User {
  email: string
  name: string
  path: string
  refreshToken: string
  accessToken: string
}

export const newEmail = () => `user-${uuidv7()}@example.com`

/** The hash of `password`, computed once for all accounts. */
let passwordHash: Promise<string> | undefined

/** Creates a user and a session in the database, which saves the hashes of registering and logging in. */
export async function newAccount(
  shop: TestShop,
  role: Role = 'customer',
  name = 'Ada',
  email = newEmail(),
): Promise<Account> {
  const { db, tokens } = shop.deps('users')
  const id = uuidv7()
  passwordHash ??= hashPassword(password)
  await db.insert(users).values({ id, email, name, role, passwordHash: await passwordHash })
  const session = await transaction(db, (tx) => startSession(tx, id))
  const { accessToken, refreshToken } = await toTokenPair(tokens, { id, role }, session)
  return { id, role, session: session.id, email, name, path: `/users/${id}`, accessToken, refreshToken }
}

export async function logIn(shop: TestShop, email: string, secret = password): Promise<Account> {
  const { status, body } = await shop.post('/sessions', { key: null, body: { email, password: secret } })
  expect(status).toBe(201)
  const { sid } = decodeJwt<{ sid: string }>(body.accessToken)
  const { id, role, name } = body.user
  const { accessToken, refreshToken } = body
  return { id, role, session: sid, email, name, path: `/users/${id}`, accessToken, refreshToken }
}

/** Deletes what is left for the notifications domain, as it does itself once the e-mails are sent. */
export async function tookMails(shop: TestShop): Promise<void> {
  const admin = postgres(shop.admin, { max: 1 })
  await admin`delete from events.secrets where recipient = 'notifications'`
  await admin.end()
}

/** Returns the e-mails with a token that a user was to get, oldest first, with the event that asks for each. */
export async function mailedTo(shop: TestShop, userId: string) {
  const admin = postgres(shop.admin, { max: 1 })
  const mails = await admin<{ type: string; secret: string }[]>`
    select type, secret from events.outbox join events.secrets s on s.subject = data->>'requestId'
    where outbox.subject = ${userId} and recipient = 'notifications' order by id`
  await admin.end()
  return mails.map(({ type, secret }) => ({
    type,
    ...(JSON.parse(secret) as { email: string; token: string }),
  }))
}
