import { afterAll, beforeAll, expect, it } from 'vitest'
import { logIn, newAccount, newEmail, password } from '../../test/accounts.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { limits } from './attempts.ts'
import { hashing } from './hashing.ts'

let shop: TestShop
beforeAll(async () => (shop = await openShop(['users'])))
afterAll(() => shop.close())

it('refuses a request that hashes while 200 others wait, without counting it as an attempt', async () => {
  const account = await newAccount(shop)
  const { promise, resolve } = Promise.withResolvers<void>()
  const waiting = Array.from(
    { length: 200 },
    hashing(async () => promise),
  )

  const body = { email: account.email, password: 'not the password' }
  const requests = [
    () => shop.post('/users', { body: { email: newEmail(), name: 'Ada', password } }),
    () => shop.patch(account.path, { as: account, ifMatch: '"1"', body: { name: 'Ada L.' } }),
    ...Array.from(
      { length: limits.pair.points + 1 },
      () => () => shop.post('/sessions', { key: null, body }),
    ),
  ]
  for (const request of requests) {
    const { status, headers, body } = await request()
    expect([status, headers.get('retry-after'), body.type]).toEqual([
      503,
      '2',
      'https://zeroshop.dev/problems/overloaded',
    ])
  }

  resolve()
  await Promise.all(waiting)
  await logIn(shop, account.email)
})

it('makes room again when a request fails', async () => {
  const failing = Array.from(
    { length: 200 },
    hashing(async () => Promise.reject(new Error('no store'))),
  )
  await Promise.allSettled(failing)
  expect(await hashing(async () => 'done')()).toBe('done')
})
