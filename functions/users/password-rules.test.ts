import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newAccount, newEmail, password } from '../../test/accounts.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { weaknesses, weaknessOf } from './password-rules.ts'

const ada = { email: 'ada.lovelace@example.com', name: 'Ada Lovelace' }
const common = ['dragon', 'password', 'iloveyou1', 'trustno1ever']
const weakness = (password: string) => weaknessOf(password, ada, common)

const repeated = 'repeats'
const own = 'own'
const known = 'common'

describe('a new password', () => {
  it.each([
    [' '.repeat(10), repeated],
    ['aaaaaaaaaaaa', repeated],
    ['ababababab', repeated],
    ['abcdabcdab', repeated],
    ['1111111112', repeated],
    ['1234567890', repeated],
    ['4567890123', repeated],
    ['9876543210', repeated],
    ['abcdefghijk', repeated],
    ['KJIHGFEDCBA', repeated],
    ['ada.lovelace@example.com', own],
    ['Ada.Lovelace', own],
    ['Ada Lovelace', own],
    ['lovelace1815', own],
    ['1815-LOVELACE-!', own],
    ['zeroshop2026', own],
    ['zero shop 26', own],
    // parts of the address, and the same letters in other forms
    ['ada.lovelace@example', own],
    ['lovelaceexample', own],
    ['example.com 1815', own],
    ['Àda Lôvelace', own],
    ['a\u00add\u00ada lovelace', own],
    ['trustno1ever', known],
    ['Password123', known],
    ['2026Dragon!!', known],
    ['Pässwörd123', known],
    ['pa\u200bssword123', known],
    ['pass word 123', known],
    ['dragon-dragon', known],
    ['dragondragondragon', known],
    ['\u200b\u200c\u200d\u2060\ufeff'.repeat(2), repeated],
  ])('must not be %j', (password, detail) => expect(weakness(password)).toBe(detail))

  it.each(['jörg@bücher.example', 'jörg@xn--bcher-kva.example', 'jorg bucher 1'])(
    'must not be made of an internationalised address: %s',
    (password) =>
      expect(weaknessOf(password, { email: 'jörg@xn--bcher-kva.example', name: 'Jörg' }, common)).toBe(own),
  )

  it.each([
    'correct horse battery',
    'Lovelace wrote notes',
    'dragons in the cellar',
    '4915 1234 5678 0',
    'qué hacéis aquí',
    'ただしいうまのでんち電池',
    '🐎🔋📎🖇️🐎🔋📎🖇️x!',
    'a1!a1!a1?b',
  ])('may be %j, without rules of composition', (password) => expect(weakness(password)).toBeUndefined())
})

describe('an operation that sets a password', () => {
  let shop: TestShop
  beforeAll(async () => (shop = await openShop(['users'])))
  afterAll(() => shop.close())

  const email = newEmail()
  const weak = ['1234567890', 'password123', ' '.repeat(10), 'qwertyuiop', email, email.split('@')[0]!]

  it.each(weak)('refuses %j at registration', async (secret) => {
    const body = { email, name: 'Ada', password: secret }
    const { status, body: problem } = await shop.post('/users', { body })
    expect([status, problem.errors]).toEqual([
      400,
      [{ pointer: '/body/password', detail: expect.stringMatching(/: choose another$/) }],
    ])
  })

  it('refuses a weak password at a change, by the name and e-mail address after it', async () => {
    const user = await newAccount(shop)
    const change = (body: object) =>
      shop.patch(user.path, { as: user, ifMatch: '*', body: { currentPassword: password, ...body } })
    for (const secret of ['1234567890', 'password123'])
      expect((await change({ password: secret })).body.errors[0].pointer).toBe('/body/password')
    const renamed = await change({ name: 'Augusta Byron', password: 'augusta-byron' })
    expect(renamed.body.errors[0].detail).toBe(weaknesses[own])
    expect((await change({ password: 'augusta-byron' })).status).toBe(200)
  })
})
