import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newAccount, type Account } from '../../test/accounts.ts'
import { openShop, type TestShop } from '../../test/shop.ts'

let shop: TestShop
let ada: Account
beforeAll(async () => {
  shop = await openShop(['users'])
  ada = await newAccount(shop)
})
afterAll(() => shop.close())

it.each(['staff', 'admin'] as const)('shows a user to %s', async (role) => {
  const { status, body, headers } = await shop.get(ada.path, { as: role })
  expect(status).toBe(200)
  expect(body).toMatchObject({ id: ada.id, email: ada.email, name: 'Ada', role: 'customer' })
  expect(headers.get('etag')).toBe('"1"')
  expect(headers.get('cache-control')).toBe('no-store')
})

it('shows users themselves', async () => {
  expect((await shop.get(ada.path, { as: ada })).body.email).toBe(ada.email)
})

it('returns 304 to a client that has the current version', async () => {
  expect((await shop.get(ada.path, { as: ada, headers: { 'if-none-match': '"1"' } })).status).toBe(304)
})

it.each(['customer', 'seller'] as const)('hides other users from a %s', async (role) => {
  const other = await shop.get(ada.path, { as: role })
  const none = await shop.get(`/users/${uuidv7()}`, { as: role })
  expect(other.status).toBe(404)
  expect(other.text).toBe(none.text)
})

it('returns 404 for an unknown user, 400 for an invalid id, and 401 without a login', async () => {
  expect((await shop.get(`/users/${uuidv7()}`, { as: 'admin' })).status).toBe(404)
  expect((await shop.get('/users/ada', { as: 'admin' })).status).toBe(400)
  expect((await shop.get(ada.path)).status).toBe(401)
})
