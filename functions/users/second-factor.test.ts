import { eq } from 'drizzle-orm'
import { TOTP } from 'otpauth'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from 'uuidv7'
import { mailedTo, newAccount, password, type Account } from '../../test/accounts.ts'
import { tablesWith } from '../../test/contents.ts'
import { expectOwnProblem } from '../../test/problems.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { codeLimit, limits } from './attempts.ts'
import { newRecoveryCode, recoveryCodes } from './second-factor.ts'
import { attempts } from './session.ts'
import { users } from './user.ts'

let shop: TestShop
beforeAll(async () => (shop = await openShop(['users'])))
afterAll(() => shop.close())

const currentPassword = password

let lastAddress = 0
const newAddress = () => `203.0.113.${++lastAddress}`

/** Sends a request about the second factor, each from a network of its own. */
const send = (
  method: 'post' | 'delete',
  account: Account,
  path: string,
  body: object,
  as: Account = account,
) =>
  shop[method](`${account.path}/second-factor${path}`, {
    as,
    key: null,
    body,
    headers: { 'x-forwarded-for': newAddress() },
  })

const enrol = (account: Account, body: object = { currentPassword }, as = account) =>
  send('post', account, '', body, as)
const confirm = (account: Account, code: string, as = account) =>
  send('post', account, '/confirmation', { code }, as)
const disable = (account: Account, body: object, as = account) => send('delete', account, '', body, as)
const renew = (account: Account, body: object, as = account) =>
  send('post', account, '/recovery-codes', body, as)

const logIn = (account: Account, code?: string, address = newAddress()) =>
  shop.post('/sessions', {
    key: null,
    body: { email: account.email, password, ...(code !== undefined && { code }) },
    headers: { 'x-forwarded-for': address },
  })

const nameOf = ({ body }: { body: { type: string } }) => body.type.split('/').at(-1)

/** Returns the code that the app of a secret shows, or has shown so many periods ago. */
const codeOf = (secret: string, ago = 0) =>
  new TOTP({ secret }).generate({ timestamp: Date.now() - ago * 30_000 })

/** Lets the account accept a code of the present period again, as after half a minute. */
const nextPeriod = ({ id }: Account) =>
  shop.deps('users').db.update(users).set({ totpPeriod: null }).where(eq(users.id, id))

/** Returns a user with a second factor, and the secret and the recovery codes. */
async function enrolled(role: Account['role'] = 'customer') {
  const account = await newAccount(shop, role)
  const { secret } = (await enrol(account)).body as { secret: string }
  const { status, body } = await confirm(account, codeOf(secret))
  expect(status).toBe(200)
  await nextPeriod(account)
  return { account, secret, codes: body.recoveryCodes as string[] }
}

describe('enrolling', () => {
  it('returns a secret and its URI, and is on once a code confirms it', async () => {
    const ada = await newAccount(shop)
    const { status, body, headers } = await enrol(ada)
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(body.secret).toMatch(/^[A-Z2-7]{32}$/)
    expect(body.uri).toContain(`secret=${body.secret}`)
    expect((await logIn(ada)).status).toBe(201)

    const confirmed = await confirm(ada, codeOf(body.secret))
    expect(confirmed.status).toBe(200)
    const codes = confirmed.body.recoveryCodes as string[]
    expect(new Set(codes).size).toBe(10)
    for (const code of codes) expect(code).toMatch(/^(?:[a-z2-7]{4}-){3}[a-z2-7]{4}$/)
    const user = await shop.get(ada.path, { as: ada })
    expect([user.body.secondFactor, user.headers.get('etag')]).toEqual([true, '"2"'])
    expect(nameOf(await logIn(ada))).toBe('second-factor-needed')
    expect(shop.securityLog).toContainEqual(
      expect.objectContaining({ event: 'second-factor-enabled', user: ada.id }),
    )
  })

  it('stores neither the secret nor a recovery code as it is', async () => {
    const { account, secret, codes } = await enrolled()
    for (const text of [secret, codes[0]!, codes[0]!.replaceAll('-', '')])
      expect(await tablesWith(shop.admin, text)).toEqual([])
    expect(await tablesWith(shop.admin, account.id)).toContain('users.recovery_codes')
  })

  it('requires the current password', async () => {
    const ada = await newAccount(shop)
    expect((await enrol(ada, {})).body.errors[0].pointer).toBe('/body/currentPassword')
    expect(nameOf(await enrol(ada, { currentPassword: 'not the password' }))).toBe('wrong-password')
  })

  it('returns another secret each time until it is confirmed, of which the last one counts', async () => {
    const ada = await newAccount(shop)
    const [first, second] = [(await enrol(ada)).body.secret, (await enrol(ada)).body.secret]
    expectOwnProblem(
      await confirm(ada, codeOf(first)),
      'wrong-code',
      [403, 'The code is wrong'],
      'A code is valid for a minute and accepted once: wait for the next one, or send a recovery code.',
    )
    expect((await confirm(ada, codeOf(second))).status).toBe(200)
  })

  it('is refused if it is on, and a confirmation if nothing is enrolled', async () => {
    const { account } = await enrolled()
    expect(nameOf(await enrol(account))).toBe('second-factor-on')
    expect(nameOf(await confirm(account, '123456'))).toBe('second-factor-on')
    expect(nameOf(await confirm(await newAccount(shop), '123456'))).toBe('second-factor-off')
  })

  it('is confirmed once by concurrent requests', async () => {
    const ada = await newAccount(shop)
    const { secret } = (await enrol(ada)).body
    const answers = await Promise.all(Array.from({ length: 3 }, () => confirm(ada, codeOf(secret))))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409])
    const { db } = shop.deps('users')
    expect(await db.select().from(recoveryCodes).where(eq(recoveryCodes.userId, ada.id))).toHaveLength(10)
  })

  it('is for oneself: to others, admins included, there is no such user', async () => {
    const [ada, admin] = [await newAccount(shop), await newAccount(shop, 'admin')]
    for (const answer of [
      await enrol(ada, { currentPassword }, admin),
      await confirm(ada, '123456', admin),
      await renew(ada, { currentPassword }, admin),
      await disable(ada, { currentPassword }, await newAccount(shop, 'staff')),
    ])
      expect([answer.status, answer.body.detail]).toEqual([404, 'There is no such user.'])
  })
})

describe('logging in with a second factor', () => {
  it('needs a code besides the password', async () => {
    const { account, secret } = await enrolled()
    const needed = await logIn(account)
    expectOwnProblem(
      needed,
      'second-factor-needed',
      [401, 'A second factor is needed'],
      'Send the code of your authenticator app, or a recovery code, as `code`.',
    )
    const { status, body } = await logIn(account, codeOf(secret))
    expect(status).toBe(201)
    expect(body.user).toMatchObject({ id: account.id, secondFactor: true })
  })

  it('does not tell without the password that there is one', async () => {
    const { account, secret } = await enrolled()
    const body = { email: account.email, password: 'not the password', code: codeOf(secret) }
    const headers = { 'x-forwarded-for': newAddress() }
    expect(nameOf(await shop.post('/sessions', { key: null, body, headers }))).toBe('wrong-credentials')
    expect((await logIn(account, codeOf(secret))).status).toBe(201)
  })

  it('accepts each code once, and none from before the last one', async () => {
    const { account, secret } = await enrolled()
    const code = codeOf(secret)
    const answers = await Promise.all(Array.from({ length: 4 }, () => logIn(account, code)))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 403, 403, 403])
    expect(nameOf(await logIn(account, code))).toBe('wrong-code')
    expect(nameOf(await logIn(account, codeOf(secret, 1)))).toBe('wrong-code')
  })

  it.each(['123 456', '123-456'])('accepts a code with a space or dash: %s', async (shown) => {
    const { account, secret } = await enrolled()
    const separator = shown[3]!
    expect((await logIn(account, codeOf(secret).replace(/^.../, `$&${separator}`))).status).toBe(201)
  })

  it('accepts a recovery code once, in capitals, too', async () => {
    const { account, codes } = await enrolled()
    const [first = '', second = ''] = codes
    const answers = await Promise.all(Array.from({ length: 3 }, () => logIn(account, first)))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 403, 403])
    expect((await logIn(account, second.toUpperCase().replaceAll('-', ' '))).status).toBe(201)
    expect((await logIn(account, newRecoveryCode())).status).toBe(403)
    const used = shop.securityLog.filter(
      ({ event, user }) => event === 'recovery-code-used' && user === account.id,
    )
    expect(used).toHaveLength(2)
  })

  it('accepts no recovery code of another user', async () => {
    const [ada, grace] = [await enrolled(), await enrolled()]
    expect((await logIn(ada.account, grace.codes[0])).status).toBe(403)
    expect((await logIn(grace.account, grace.codes[0])).status).toBe(201)
  })

  it('refuses what cannot be a code, before the password is checked', async () => {
    const ada = await newAccount(shop)
    for (const code of ['12345', '1234567', 'abc', '', 'x'.repeat(60)]) {
      const { status, body } = await logIn(ada, code)
      expect([status, body.errors[0].pointer]).toEqual([400, '/body/code'])
    }
  })

  it('ignores a code of a user without one', async () => {
    expect((await logIn(await newAccount(shop), '123456')).status).toBe(201)
  })

  it('is limited as wrong passwords are: right passwords between wrong codes do not help', async () => {
    const { account, secret } = await enrolled()
    const address = newAddress()
    for (let i = 0; i < limits.pair.points; i++) {
      expect((await logIn(account, undefined, address)).status).toBe(401)
      expect((await logIn(account, newRecoveryCode(), address)).status).toBe(403)
    }
    expect((await logIn(account, codeOf(secret), address)).status).toBe(429)
    expect((await logIn(account, codeOf(secret))).status).toBe(201)
  })

  it('allows 50 wrong codes a day from all networks, until the password is reset', async () => {
    const { account, secret } = await enrolled()
    const { db } = shop.deps('users')
    expect((await logIn(account, newRecoveryCode())).status).toBe(403)
    const counted = await db.select().from(attempts).where(eq(attempts.points, 1))
    const { key } = counted.findLast((row) => row.key.startsWith('code:'))!
    await db.update(attempts).set({ points: codeLimit.points }).where(eq(attempts.key, key))
    const refused = await logIn(account, codeOf(secret))
    expect([refused.status, nameOf(refused)]).toEqual([429, 'too-many-attempts'])
    await shop.post('/password-resets', { key: null, body: { email: account.email } })
    const [mail] = await mailedTo(shop, account.id)
    const reset = { key: null, body: { token: mail!.token, password } }
    expect((await shop.post('/password-resets/confirmations', reset)).status).toBe(204)
    // which does not turn the second factor off
    expect((await logIn(account)).status).toBe(401)
    expect((await logIn(account, codeOf(secret))).status).toBe(201)
  })
})

describe('turning it off', () => {
  it('needs the password and a code, and lets the password alone log in', async () => {
    const { account, secret } = await enrolled()
    expect(nameOf(await disable(account, { currentPassword }))).toBe('second-factor-needed')
    const wrong = { currentPassword, code: newRecoveryCode() }
    expect(nameOf(await disable(account, wrong))).toBe('wrong-code')
    const guess = { currentPassword: 'not the password', code: codeOf(secret) }
    expect(nameOf(await disable(account, guess))).toBe('wrong-password')
    const { status, text } = await disable(account, { currentPassword, code: codeOf(secret) })
    expect([status, text]).toEqual([204, ''])
    expect((await logIn(account)).status).toBe(201)
    expect((await shop.get(account.path, { as: account })).body.secondFactor).toBe(false)
    const { db } = shop.deps('users')
    const [row] = await db.select().from(users).where(eq(users.id, account.id))
    expect(row).toMatchObject({ totpSecret: null, totpPeriod: null, secondFactorAt: null })
    expect(await db.select().from(recoveryCodes).where(eq(recoveryCodes.userId, account.id))).toEqual([])
    expect(nameOf(await disable(account, { currentPassword }))).toBe('second-factor-off')
  })

  it('is possible with a recovery code', async () => {
    const { account, codes } = await enrolled()
    expect((await disable(account, { currentPassword, code: codes[3] })).status).toBe(204)
  })

  it('is done by an admin, with the admin’s own password and code, for somebody who has lost both', async () => {
    const { account } = await enrolled()
    const admin = await enrolled('admin')
    expect(nameOf(await disable(account, { currentPassword }, admin.account))).toBe('second-factor-needed')
    const body = { currentPassword, code: codeOf(admin.secret) }
    expect((await disable(account, body, admin.account)).status).toBe(204)
    expect((await logIn(account)).status).toBe(201)
    expect((await logIn(admin.account)).status).toBe(401)
    const missing = { ...account, path: `/users/${uuidv7()}` }
    expect((await disable(missing, { currentPassword }, admin.account)).status).toBe(404)
  })

  it('does not let a stolen token and password guess codes: they count like those of a log-in', async () => {
    const { account, secret } = await enrolled()
    const headers = { 'x-forwarded-for': newAddress() }
    const path = `${account.path}/second-factor`
    const guess = () =>
      shop.delete(path, { as: account, body: { currentPassword, code: newRecoveryCode() }, headers })
    const answers = await Promise.all(Array.from({ length: limits.pair.points + 2 }, guess))
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(limits.pair.points)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(2)
    const right = { currentPassword, code: codeOf(secret) }
    expect((await shop.delete(path, { as: account, body: right, headers })).status).toBe(429)
  })
})

describe('renewing the recovery codes', () => {
  it('needs the password and a code, and ends the validity of the earlier ones', async () => {
    const { account, secret, codes } = await enrolled()
    expect(nameOf(await renew(account, { currentPassword }))).toBe('second-factor-needed')
    const { status, body } = await renew(account, { currentPassword, code: codeOf(secret) })
    expect(status).toBe(200)
    expect(body.recoveryCodes).toHaveLength(10)
    expect((await logIn(account, codes[0])).status).toBe(403)
    expect((await logIn(account, body.recoveryCodes[0])).status).toBe(201)
    expect(nameOf(await renew(await newAccount(shop), { currentPassword }))).toBe('second-factor-off')
  })
})

it('is forgotten with a user who is deleted', async () => {
  const { account } = await enrolled()
  await shop.delete(account.path, { as: account, body: { currentPassword } })
  const { db } = shop.deps('users')
  const [row] = await db.select().from(users).where(eq(users.id, account.id))
  expect(row).toMatchObject({ totpSecret: null, totpPeriod: null, secondFactorAt: null })
  expect(await db.select().from(recoveryCodes).where(eq(recoveryCodes.userId, account.id))).toEqual([])
})
