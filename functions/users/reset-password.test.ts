import { eq, sql } from 'drizzle-orm'
import pLimit from 'p-limit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { logIn, mailedTo, newAccount, newEmail, password, type Account } from '../../test/accounts.ts'
import { tablesWith } from '../../test/contents.ts'
import { expectOwnProblem } from '../../test/problems.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { limits } from './attempts.ts'
import { mailLimits } from './mail-limits.ts'
import { mailedTokens } from './mailed-token.ts'
import { hashOf } from './session.ts'

let shop: TestShop
beforeAll(async () => (shop = await openShop(['users'])))
afterAll(() => shop.close())

const newPassword = 'another long password'

let lastAddress = 0
const newAddress = () => `2001:db8:2:${(++lastAddress).toString(16)}::1`

const ask = (email: string, address = newAddress()) =>
  shop.post('/password-resets', { key: null, body: { email }, headers: { 'x-forwarded-for': address } })

const confirm = (token: string, secret = newPassword) =>
  shop.post('/password-resets/confirmations', { key: null, body: { token, password: secret } })

const tryLogIn = (email: string, secret: string) =>
  shop.post('/sessions', {
    key: null,
    body: { email, password: secret },
    headers: { 'x-forwarded-for': newAddress() },
  })

const refresh = ({ refreshToken }: Account) =>
  shop.post('/sessions/refresh', { key: null, body: { refreshToken } })

/** Returns a user and the token of an e-mail that resets the password. */
async function asked() {
  const ada = await newAccount(shop)
  expect((await ask(ada.email)).status).toBe(204)
  return { ada, token: (await mailedTo(shop, ada.id))[0]!.token }
}

describe('asking for a new password', () => {
  it('mails a token to the user, of which only a hash is stored', async () => {
    const ada = await newAccount(shop)
    expect((await ask(ada.email.toUpperCase())).status).toBe(204)
    const [mail, ...more] = await mailedTo(shop, ada.id)
    expect(more).toEqual([])
    expect(mail).toMatchObject({ type: 'user.password-reset-requested', email: ada.email })
    expect(await tablesWith(shop.admin, mail!.token)).toEqual(['events.secrets'])
    expect(await tablesWith(shop.admin, hashOf(mail!.token))).toEqual(['users.mailed_tokens'])
    expect(await shop.emitted(ada.id)).toMatchObject([
      { type: 'user.password-reset-requested', data: { userId: ada.id, requestId: expect.any(String) } },
    ])
  })

  it('is answered in the same way if nobody has the address, but writes nothing', async () => {
    const [ada, email] = [await newAccount(shop), newEmail()]
    const [known, unknown] = [await ask(ada.email), await ask(email)]
    expect([unknown.status, unknown.text]).toEqual([204, ''])
    expect([...unknown.headers]).toEqual([...known.headers])
    expect([known.status, known.text]).toEqual([204, ''])
    const [before, after] = [await shop.emitted(), await ask(newEmail()).then(() => shop.emitted())]
    expect(after).toEqual(before)
    expect(await tablesWith(shop.admin, email)).toEqual([])
    expect(
      shop.securityLog.filter(({ event }) => event === 'password-reset-requested').slice(-2),
    ).toMatchObject([{ user: 'unknown' }, { user: 'unknown' }])
  })

  it('does the same work if nobody has the address, and so takes as long', async () => {
    const { options } = shop.deps('users').db.client
    const statementsOf = async (email: string) => {
      const statements: string[] = []
      options.debug = (_, statement) => statements.push(statement.trim())
      await ask(email)
      options.debug = false
      return statements
    }
    const known = await statementsOf((await newAccount(shop)).email)
    const unknown = await statementsOf(newEmail())
    for (const table of ['mailed_tokens', 'secrets', 'outbox'])
      expect(
        unknown.filter((statement) => statement.startsWith('insert') && statement.includes(table)),
      ).toHaveLength(1)
    expect(unknown).toHaveLength(known.length + 1)
    expect(unknown.filter((statement) => !statement.startsWith('rollback to'))).toEqual(known)
  })

  it.each([
    ['a user', () => newAccount(shop).then(({ email }) => email)],
    ['an address that nobody has', () => Promise.resolve(newEmail())],
  ])('is limited for %s and a network', async (_, who) => {
    const [email, address] = [await who(), newAddress()]
    const { points } = mailLimits['mail-pair']
    const answers = await Promise.all(Array.from({ length: points + 2 }, () => ask(email, address)))
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(points)
    const refused = answers.find(({ status }) => status === 429)
    expect(refused?.body.type).toMatch(/too-many-attempts$/)
    expect((await ask(email)).status).toBe(204)
  })

  it('is limited for a network, whatever addresses it asks for', async () => {
    const address = newAddress()
    const { points } = mailLimits['mail-network']
    // not all at once: one after the other, they change one row, and the last might not be in time
    const some = pLimit(8)
    const answers = await some.map(Array.from({ length: points + 3 }, newEmail), (email) =>
      ask(email, address),
    )
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(points)
  })

  it('fills no mailbox: 10 e-mails an hour are sent, and more are not admitted to be missing', async () => {
    const ada = await newAccount(shop)
    const { points } = mailLimits['mail-account']
    for (let i = 0; i < points + 2; i++) expect((await ask(ada.email)).status).toBe(204)
    expect(await mailedTo(shop, ada.id)).toHaveLength(points)
  })
})

describe('setting a new password', () => {
  it('ends every session, verifies the address and is logged', async () => {
    const { ada, token } = await asked()
    const phone = await logIn(shop, ada.email)
    const { status, text } = await confirm(token)
    expect([status, text]).toEqual([204, ''])
    for (const device of [ada, phone]) expect((await refresh(device)).status).toBe(401)
    expect((await tryLogIn(ada.email, password)).status).toBe(401)
    const { body } = await tryLogIn(ada.email, newPassword)
    expect(body.user).toMatchObject({ id: ada.id, emailVerified: true })
    const [, ended] = await shop.emitted(ada.id)
    expect(ended).toMatchObject({ type: 'session.ended', data: { userId: ada.id } })
    expect(shop.securityLog).toContainEqual(
      expect.objectContaining({ event: 'password-changed', user: ada.id, operation: 'reset-password' }),
    )
  })

  it('accepts a token once, of concurrent requests, too', async () => {
    const { ada, token } = await asked()
    const passwords = ['a first long password', 'a second long password', 'a third long password']
    const answers = await Promise.all(passwords.map((secret) => confirm(token, secret)))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 403, 403])
    const winner = answers.findIndex(({ status }) => status === 204)
    for (const [i, secret] of passwords.entries())
      expect((await tryLogIn(ada.email, secret)).status).toBe(i === winner ? 201 : 401)
    expectOwnProblem(
      await confirm(token),
      'wrong-token',
      [403, 'The token is not valid'],
      'It was used already, is too old, or belongs to an earlier address: ask for another e-mail.',
    )
  })

  it('accepts no token after an hour', async () => {
    const { ada, token } = await asked()
    const { db } = shop.deps('users')
    const [kept] = await db.select().from(mailedTokens).where(eq(mailedTokens.userId, ada.id))
    expect(Math.round((kept!.expiresAt.getTime() - Date.now()) / 60_000)).toBe(60)
    await db
      .update(mailedTokens)
      .set({ expiresAt: sql`now()` })
      .where(eq(mailedTokens.userId, ada.id))
    expect((await confirm(token)).status).toBe(403)
    expect((await refresh(ada)).status).toBe(200)
  })

  it.each([
    ['another address', { email: newEmail() }],
    ['another password', { password: 'a third long password' }],
  ])('accepts no token from before %s', async (_, change) => {
    const { ada, token } = await asked()
    const body = { ...change, currentPassword: password }
    expect((await shop.patch(ada.path, { as: ada, body, ifMatch: '*' })).status).toBe(200)
    expect((await confirm(token)).status).toBe(403)
  })

  it('accepts no token for another purpose, and no forged one', async () => {
    const ada = await newAccount(shop)
    await shop.post(`${ada.path}/email-verification`, { as: ada, key: null })
    const [{ token } = { token: '' }] = await mailedTo(shop, ada.id)
    for (const wrong of [token, hashOf(token), 'x']) expect((await confirm(wrong)).status).toBe(403)
    const reset = await asked()
    const verify = { key: null, body: { token: reset.token } }
    expect((await shop.post('/email-verifications', verify)).status).toBe(403)
    expect((await confirm(reset.token)).status).toBe(204)
  })

  it('refuses a weak password, and keeps the token for a better one', async () => {
    const { ada, token } = await asked()
    for (const weak of ['short', 'password123', ada.email]) {
      const { status, body } = await confirm(token, weak)
      expect([status, body.errors[0].pointer]).toEqual([400, '/body/password'])
    }
    expect((await confirm(token)).status).toBe(204)
  })

  it('lets an owner in whom strangers have locked out', async () => {
    const { ada, token } = await asked()
    const address = newAddress()
    const send = (secret: string) =>
      shop.post('/sessions', {
        key: null,
        body: { email: ada.email, password: secret },
        headers: { 'x-forwarded-for': address },
      })
    await Promise.all(Array.from({ length: limits.pair.points }, () => send('not the password')))
    expect((await send(password)).status).toBe(429)
    await confirm(token)
    expect((await send(newPassword)).status).toBe(201)
  })

  it('is not possible for a user who is deleted, of whom no token is left', async () => {
    const { ada, token } = await asked()
    await shop.delete(ada.path, { as: ada, body: { currentPassword: password } })
    expect((await confirm(token)).status).toBe(403)
    const { db } = shop.deps('users')
    expect(await db.select().from(mailedTokens).where(eq(mailedTokens.userId, ada.id))).toEqual([])
    expect((await ask(ada.email)).status).toBe(204)
    expect(await mailedTo(shop, ada.id)).toHaveLength(1)
  })
})
