import { afterAll, beforeAll, expect, it } from 'vitest'
import { newAccount, newEmail, password } from '../../test/accounts.ts'
import { openShop, type Answered, type TestShop } from '../../test/shop.ts'

let shop: TestShop
beforeAll(async () => (shop = await openShop(['users'])))
afterAll(() => shop.close())

it('returns no password or hash from any operation, whether it succeeds or fails', async () => {
  const ada = await newAccount(shop)
  const secret = 'a secret that must not leak'
  const key = null
  const answers: [string, number, Answered][] = []
  const expects = async (what: string, status: number, answer: Promise<Answered>) =>
    answers.push([what, status, await answer])
  const registration = { email: newEmail(), name: 'Grace', password: secret }

  await expects('register', 201, shop.post('/users', { key: 'one', body: registration }))
  await expects('register again', 201, shop.post('/users', { key: 'one', body: registration }))
  await expects('taken', 409, shop.post('/users', { body: registration }))
  await expects('invalid', 400, shop.post('/users', { body: { ...registration, email: secret } }))
  await expects('not JSON', 400, shop.post('/users', { body: `{"password": "${secret}"` }))
  await expects('get', 200, shop.get(ada.path, { as: ada }))
  await expects('list', 200, shop.get('/users', { as: 'admin' }))
  await expects('log in', 201, shop.post('/sessions', { key, body: { email: ada.email, password } }))
  const wrong = { email: ada.email, password: secret }
  await expects('wrong password', 401, shop.post('/sessions', { key, body: wrong }))
  const unknown = { email: newEmail(), password: secret }
  await expects('unknown user', 401, shop.post('/sessions', { key, body: unknown }))
  const { refreshToken } = ada
  await expects('refresh', 200, shop.post('/sessions/refresh', { key, body: { refreshToken } }))
  await expects('refresh again', 200, shop.post('/sessions/refresh', { key, body: { refreshToken } }))
  await expects('keys', 200, shop.get('/.well-known/jwks.json'))
  const grace = await newAccount(shop)
  const admin = await newAccount(shop, 'admin')
  const body = { password: secret, currentPassword: secret }
  const own = { ...body, currentPassword: password }
  await expects('wrong current', 403, shop.patch(grace.path, { as: grace, ifMatch: '*', body }))
  await expects('update', 200, shop.patch(grace.path, { as: admin, ifMatch: '*', body: own }))
  await expects('log out', 204, shop.delete('/sessions/current', { as: grace }))
  await expects('delete', 204, shop.delete(grace.path, { as: admin, body: { currentPassword: password } }))

  expect(answers.map(([what, , { status }]) => [what, status])).toEqual(
    answers.map(([what, status]) => [what, status]),
  )
  const whole = answers.map(([what, , { text, headers }]) => [what, text, ...headers].join(' '))
  const leaks = [/argon2/, /passwordHash/i, /password_hash/, secret, password]
  expect(whole.filter((answer) => leaks.some((leak) => answer.match(leak)))).toEqual([])
})
