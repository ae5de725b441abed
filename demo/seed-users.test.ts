import { afterAll, beforeAll, expect, it } from 'vitest'
import { logIn, newEmail, password } from '../test/accounts.ts'
import { openShop, type TestShop } from '../test/shop.ts'
import { seedUsers } from './seed-users.ts'

let shop: TestShop
beforeAll(async () => (shop = await openShop(['users'])))
afterAll(() => shop.close())

it('adds missing users, returns them, and does not change the others', async () => {
  const { db } = shop.deps('users')
  const ada = { email: newEmail(), password, name: 'Ada', role: 'admin' as const }
  const grace = { email: newEmail(), password, name: 'Grace', role: 'seller' as const }
  expect(await seedUsers(db, [ada])).toEqual([ada])
  expect(await seedUsers(db, [{ ...ada, name: 'Eve', role: 'customer' }, grace])).toEqual([grace])
  expect(await seedUsers(db, [ada, grace])).toEqual([])
  expect(await logIn(shop, ada.email)).toMatchObject({ name: 'Ada', role: 'admin' })
})

it('adds a user once if two processes seed at the same time', async () => {
  const user = { email: newEmail(), password, name: 'Ada', role: 'customer' as const }
  const { db } = shop.deps('users')
  const made = await Promise.all([seedUsers(db, [user]), seedUsers(db, [user])])
  expect(made.flat()).toEqual([user])
})
