import { afterAll, beforeAll, expect, it } from 'vitest'
import { logIn, newAccount } from '../../test/accounts.ts'
import { openShop, type TestShop } from '../../test/shop.ts'

let shop: TestShop
beforeAll(async () => (shop = await openShop(['users'])))
afterAll(() => shop.close())

const refresh = (refreshToken: string) =>
  shop.post('/sessions/refresh', { key: null, body: { refreshToken } })

it('ends only the caller’s session, and can be repeated', async () => {
  const ada = await newAccount(shop)
  const phone = await logIn(shop, ada.email)
  const { body: second } = await refresh(ada.refreshToken)
  for (let i = 0; i < 2; i++) {
    const { status, headers } = await shop.delete('/sessions/current', { as: ada })
    expect(status).toBe(204)
    expect(headers.get('cache-control')).toBe('no-store')
  }
  const { status, body } = await refresh(second.refreshToken)
  expect(status).toBe(401)
  expect(body.type).toMatch(/session-ended$/)
  expect((await refresh(phone.refreshToken)).status).toBe(200)
})

it('requires a login', async () => expect((await shop.delete('/sessions/current')).status).toBe(401))
