import { decodeJwt } from 'jose'
import { expect } from 'vitest'
import { uuidv7 } from 'uuidv7'
import type { Role } from '../functions/shared/domain.ts'
import type { User } from '../functions/shared/auth/access-token.ts'
import { seedUsers } from '../demo/seed-users.ts'
import type { TestShop } from './shop.ts'

export const password = 'correct horse battery'

/** A user who really exists and has logged in, as a test acts for them. */
export interface Account extends User {
  email: string
  name: string
  path: string
  refreshToken: string
  accessToken: string
}

export const newEmail = () => `user-${uuidv7()}@example.com`

/** A new user of a role, logged in. */
export async function newAccount(shop: TestShop, role: Role = 'customer', name = 'Ada'): Promise<Account> {
  const email = newEmail()
  await seedUsers(shop.deps('users').db, [{ email, password, name, role }])
  return logIn(shop, email)
}

export async function logIn(shop: TestShop, email: string, secret = password): Promise<Account> {
  const { status, body } = await shop.post('/sessions', { key: null, body: { email, password: secret } })
  expect(status).toBe(201)
  const { sid } = decodeJwt<{ sid: string }>(body.accessToken)
  const { id, role, name } = body.user
  const { accessToken, refreshToken } = body
  return { id, role, session: sid, email, name, path: `/users/${id}`, accessToken, refreshToken }
}
