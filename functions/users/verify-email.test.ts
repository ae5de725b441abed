import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from 'uuidv7'
import { mailedTo, newAccount, newEmail, password, type Account } from '../../test/accounts.ts'
import { expectOwnProblem } from '../../test/problems.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { mailLimits } from './mail-limits.ts'
import { mailedTokens } from './mailed-token.ts'

let shop: TestShop
beforeAll(async () => (shop = await openShop(['users'])))
afterAll(() => shop.close())

let lastAddress = 0
const newAddress = () => `198.51.100.${++lastAddress}`

const ask = (account: Account, address = newAddress(), as: Account = account) =>
  shop.post(`${account.path}/email-verification`, { as, key: null, headers: { 'x-forwarded-for': address } })

const verify = (token: string) => shop.post('/email-verifications', { key: null, body: { token } })

const lastToken = async ({ id }: { id: string }) => (await mailedTo(shop, id)).at(-1)!.token

const isVerified = async (account: Account) =>
  (await shop.get(account.path, { as: account })).body.emailVerified as boolean

describe('verifying an e-mail address', () => {
  it('is asked for by an e-mail after the registration, and done with its token', async () => {
    const email = newEmail()
    const { body } = await shop.post('/users', { body: { email, name: 'Ada', password } })
    expect(body.emailVerified).toBe(false)
    const [mail, ...more] = await mailedTo(shop, body.id)
    expect(more).toEqual([])
    expect(mail).toEqual({
      type: 'user.verification-requested',
      email,
      token: expect.stringMatching(/^[\w-]{43}$/),
    })
    const { status, text } = await verify(mail!.token)
    expect([status, text]).toEqual([204, ''])
    const after = await shop.get(`/users/${body.id}`, { as: 'admin' })
    expect([after.body.emailVerified, after.headers.get('etag')]).toEqual([true, '"2"'])
    expect(shop.securityLog).toContainEqual(
      expect.objectContaining({ event: 'email-verified', user: body.id }),
    )
  })

  it('emits an event without the address or the token, and stores no token', async () => {
    const ada = await newAccount(shop)
    await ask(ada)
    const token = await lastToken(ada)
    const events = await shop.emitted(ada.id)
    expect(events).toMatchObject([
      { type: 'user.verification-requested', data: { userId: ada.id, requestId: expect.any(String) } },
    ])
    const kept = await shop
      .deps('users')
      .db.select()
      .from(mailedTokens)
      .where(eq(mailedTokens.userId, ada.id))
    expect(kept).toHaveLength(1)
    for (const text of [JSON.stringify(events), JSON.stringify(kept)]) {
      expect(text).not.toContain(token)
      expect(text).not.toContain('@')
    }
  })

  it('accepts a token once, of concurrent requests, too', async () => {
    const ada = await newAccount(shop)
    await ask(ada)
    const token = await lastToken(ada)
    const answers = await Promise.all(Array.from({ length: 5 }, () => verify(token)))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 403, 403, 403, 403])
    expectOwnProblem(
      await verify(token),
      'wrong-token',
      [403, 'The token is not valid'],
      'It was used already, is too old, or belongs to an earlier address: ask for another e-mail.',
    )
  })

  it('accepts each of several e-mails, whichever arrives, until one was used', async () => {
    const ada = await newAccount(shop)
    for (let i = 0; i < 3; i++) await ask(ada)
    const [first, second] = await mailedTo(shop, ada.id)
    expect((await verify(first!.token)).status).toBe(204)
    expect((await verify(second!.token)).status).toBe(403)
  })

  it('accepts no token after a day', async () => {
    const ada = await newAccount(shop)
    await ask(ada)
    const { db } = shop.deps('users')
    await db
      .update(mailedTokens)
      .set({ expiresAt: sql`now()` })
      .where(eq(mailedTokens.userId, ada.id))
    expect((await verify(await lastToken(ada))).status).toBe(403)
    expect(await isVerified(ada)).toBe(false)
  })

  it('begins anew with another address, for which earlier tokens are not valid', async () => {
    const ada = await newAccount(shop)
    for (let i = 0; i < 2; i++) await ask(ada)
    const [first, second] = await mailedTo(shop, ada.id)
    await verify(first!.token)
    await ask(ada)
    const email = newEmail()
    const change = { email, currentPassword: password }
    const { body } = await shop.patch(ada.path, { as: ada, body: change, ifMatch: '*' })
    expect(body.emailVerified).toBe(false)
    expect((await verify(second!.token)).status).toBe(403)
    const mail = (await mailedTo(shop, ada.id)).at(-1)!
    expect(mail.email).toBe(email)
    expect((await verify(mail.token)).status).toBe(204)
    expect(await isVerified(ada)).toBe(true)
  })

  it('stays valid if only the name changes, or the same address is sent', async () => {
    const ada = await newAccount(shop)
    await ask(ada)
    await verify(await lastToken(ada))
    await shop.patch(ada.path, { as: ada, body: { name: 'Grace', email: ada.email }, ifMatch: '*' })
    expect(await isVerified(ada)).toBe(true)
  })
})

describe('asking for the e-mail', () => {
  it('is refused if the address is verified', async () => {
    const ada = await newAccount(shop)
    await ask(ada)
    await verify(await lastToken(ada))
    expectOwnProblem(
      await ask(ada),
      'email-verified',
      [409, 'The e-mail address is verified already'],
      'There is nothing left to do.',
    )
  })

  it('is for the user and for admins: others find no such user', async () => {
    const ada = await newAccount(shop)
    for (const role of ['customer', 'seller', 'staff'] as const)
      expect((await ask(ada, newAddress(), await newAccount(shop, role))).status).toBe(404)
    const admin = await newAccount(shop, 'admin')
    expect((await ask(ada, newAddress(), admin)).status).toBe(204)
    const path = `/users/${uuidv7()}/email-verification`
    expect((await shop.post(path, { as: admin, key: null })).status).toBe(404)
    expect(await mailedTo(shop, ada.id)).toHaveLength(1)
  })

  it('is limited by user and network', async () => {
    const ada = await newAccount(shop)
    const address = newAddress()
    const { points } = mailLimits['mail-pair']
    const answers = await Promise.all(Array.from({ length: points + 2 }, () => ask(ada, address)))
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(points)
    const refused = answers.find(({ status }) => status === 429)
    expect(refused?.body.type).toMatch(/too-many-attempts$/)
    expect(Number(refused?.headers.get('retry-after'))).toBeLessThanOrEqual(3600)
    expect((await ask(ada)).status).toBe(204)
  })

  it('is not answered with more than 10 e-mails an hour, wherever it comes from', async () => {
    const ada = await newAccount(shop)
    const { points } = mailLimits['mail-account']
    for (let i = 0; i < points + 2; i++) expect((await ask(ada)).status).toBe(204)
    expect(await mailedTo(shop, ada.id)).toHaveLength(points)
  })
})
