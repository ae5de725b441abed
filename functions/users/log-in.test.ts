import { decodeJwt, decodeProtectedHeader } from 'jose'
import { hash } from '@node-rs/argon2'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { logIn, newAccount, newEmail, password } from '../../test/accounts.ts'
import { expectOwnProblem } from '../../test/problems.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { users } from './user.ts'
import { limits, openAttempts } from './attempts.ts'
import { sessions } from './session.ts'

let shop: TestShop
beforeAll(async () => (shop = await openShop(['users'])))
afterAll(() => shop.close())

let lastAddress = 0
/** Returns a new client address, so that failed logins in one test do not limit another. */
const newAddress = () => `198.51.100.${++lastAddress}`

const send = (email: string, secret: string, address = newAddress()) =>
  shop.post('/sessions', {
    key: null,
    body: { email, password: secret },
    headers: { 'x-forwarded-for': address },
  })

/** Counts wrong passwords as `send` does, but without the time that verifying each takes. */
const attempt = (count: number, address: string, email?: string) =>
  times(count, () => openAttempts(shop.deps('users').db).begin(address, email ?? newEmail()))

const times = <T>(count: number, work: () => Promise<T>) => Promise.all(Array.from({ length: count }, work))

describe('logging in', () => {
  it('returns an access token for 15 minutes, a refresh token and the user', async () => {
    const { id, email } = await newAccount(shop, 'seller')
    const { status, headers, body } = await send(email.toUpperCase(), password)
    expect(status).toBe(201)
    expect(body).toEqual({
      accessToken: expect.any(String),
      tokenType: 'Bearer',
      expiresIn: 900,
      refreshToken: expect.stringMatching(/^[\w-]{43}$/),
      user: (await shop.get(`/users/${id}`, { as: 'admin' })).body,
    })
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('location')).toBe('/api/v1/sessions/current')
    const claims = decodeJwt(body.accessToken)
    expect(claims).toMatchObject({ sub: id, role: 'seller', sid: expect.any(String) })
    expect(claims.exp! - claims.iat!).toBe(900)
    const authorization = `Bearer ${body.accessToken}`
    expect((await shop.get(`/users/${id}`, { headers: { authorization } })).status).toBe(200)
  })

  it('accepts a password whose characters are composed differently', async () => {
    const email = newEmail()
    await shop.post('/users', { body: { email, name: 'Ada', password: 'caf\u00e9 au lait' } })
    expect((await send(email, 'cafe\u0301 au lait')).status).toBe(201)
  })

  it('returns the same answer for an unknown user and a wrong password', async () => {
    const { email } = await newAccount(shop)
    const [unknown, wrong] = [await send(newEmail(), password), await send(email, 'not the password')]
    expectOwnProblem(
      unknown,
      'wrong-credentials',
      [401, 'The e-mail address or password is wrong'],
      'Check both, or register first.',
    )
    expect(wrong.text).toBe(unknown.text)
    expect(wrong.headers.get('cache-control')).toBe('no-store')
  })

  it('takes as long for an unknown user as for a wrong password', async () => {
    const { email } = await newAccount(shop)
    // CPU time, because other processes do not affect it; without hashing it would be several times lower
    const used = { unknown: 0, wrong: 0 }
    for (let i = 0; i < limits.pair.points; i++)
      for (const [kind, who] of [
        ['unknown', newEmail()],
        ['wrong', email],
      ] as const) {
        const before = process.cpuUsage()
        expect((await send(who, 'not the password')).status).toBe(401)
        used[kind] += process.cpuUsage(before).user
      }
    expect(used.unknown / used.wrong).toBeGreaterThan(0.6)
    expect(used.unknown / used.wrong).toBeLessThan(1.6)
  })

  it.each([
    [{}, '/body/email'],
    [{ email: 'ada', password }, '/body/email'],
    [{ email: 'ada@example.com', password: '' }, '/body/password'],
    [{ email: 'ada@example.com', password: 'x'.repeat(201) }, '/body/password'],
    [{ email: 'ada@example.com', password, remember: true }, '/body/remember'],
  ])('rejects %j', async (body, pointer) => {
    const answer = await shop.post('/sessions', { key: null, body })
    expect(answer.status).toBe(400)
    expect(answer.body.errors[0].pointer).toBe(pointer)
  })

  it('rehashes a password whose hash was made at another cost', async () => {
    const { id, email } = await newAccount(shop)
    const { db } = shop.deps('users')
    const cheap = await hash(password, { memoryCost: 1024, timeCost: 1, parallelism: 1 })
    await db.update(users).set({ passwordHash: cheap }).where(eq(users.id, id))
    const answers = await times(3, () => send(email, password))
    expect(answers.map(({ status }) => status)).toContain(201)
    const [row] = await db.select().from(users).where(eq(users.id, id))
    expect(row?.passwordHash).toContain('$m=19456,t=2,p=1$')
    expect((await send(email, password)).status).toBe(201)
  })

  it('deletes the user’s expired sessions', async () => {
    const { id, email, session } = await newAccount(shop)
    const { db } = shop.deps('users')
    await db
      .update(sessions)
      .set({ expiresAt: new Date(0) })
      .where(eq(sessions.id, session))
    const next = await logIn(shop, email)
    const left = await db.select().from(sessions).where(eq(sessions.userId, id))
    expect(left.map((row) => row.id)).toEqual([next.session])
  })
})

describe('the limits', () => {
  it.each([
    ['an account', () => newAccount(shop).then(({ email }) => email)],
    ['an account that does not exist', () => Promise.resolve(newEmail())],
  ])('allow 10 of many concurrent wrong passwords for %s from one network', async (_, who) => {
    const [email, address] = [await who(), newAddress()]
    const { points, seconds: within } = limits.pair
    const answers = await times(30, () => send(email, 'not the password', address))
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(points)
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused).toHaveLength(30 - points)
    for (const { body, headers } of refused) {
      expect(body.type).toMatch(/too-many-attempts$/)
      const seconds = Number(headers.get('retry-after'))
      expect(seconds).toBeGreaterThan(within - 60)
      expect(seconds).toBeLessThanOrEqual(within)
    }
    // even with the right password
    expect((await send(email, password, address)).status).toBe(429)
  })

  it('let nobody lock another out: the owner logs in from another network', async () => {
    const { email } = await newAccount(shop)
    const attackers = Array.from({ length: 5 }, newAddress)
    await Promise.all(attackers.map((address) => attempt(limits.pair.points, address, email).catch(() => {})))
    expect((await send(email, password, attackers[0])).status).toBe(429)
    expect((await send(email, password)).status).toBe(201)
  })

  it('let the owner in from a known network while many networks attack', async () => {
    const { email } = await newAccount(shop)
    const home = newAddress()
    expect((await send(email, password, home)).status).toBe(201)
    await Promise.all(
      Array.from({ length: limits.elsewhere.points }, (_, i) => attempt(1, `192.0.2.${i}`, email)),
    )
    expect((await send(email, password, newAddress())).status).toBe(429)
    expect((await send(email, password, home)).status).toBe(201)
  })

  it('allow 100 wrong passwords from an address; more do not count against accounts', async () => {
    const address = newAddress()
    await attempt(limits.address.points - 5, address)
    const answers = await times(25, () => send(newEmail(), 'not the password', address))
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(20)

    const { email } = await newAccount(shop)
    await times(limits.pair.points + 1, () => send(email, 'not the password', address))
    expect((await send(email, password, address)).status).toBe(429)
    expect((await send(email, password)).status).toBe(201)
  })

  it('use the address that the gateway added, not one that the client sent', async () => {
    const address = newAddress()
    const claim = () => `${newAddress()}, ${address}`
    await attempt(limits.address.points - 5, address)
    const answers = await times(10, () => send(newEmail(), 'not the password', claim()))
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(5)
  })

  it('are reset for the account and the network by a successful login', async () => {
    const { email } = await newAccount(shop)
    const address = newAddress()
    for (let round = 0; round < 2; round++) {
      await attempt(limits.pair.points - 2, address, email)
      expect((await send(email, 'not the password', address)).status).toBe(401)
      expect((await send(email, password, address)).status).toBe(201)
    }
  })

  it('do not count successful logins against the address', async () => {
    const address = newAddress()
    await attempt(limits.address.points - 1, address)
    for (let i = 0; i < 3; i++) {
      const { email } = await newAccount(shop)
      expect((await send(email, password, address)).status).toBe(201)
    }
    expect((await send(newEmail(), 'not the password', address)).status).toBe(401)
    expect((await send(newEmail(), 'not the password', address)).status).toBe(429)
  })
})

it('signs with a key that the key set contains', async () => {
  const { accessToken } = await newAccount(shop)
  const { kid, alg } = decodeProtectedHeader(accessToken)
  const { body } = await shop.get('/.well-known/jwks.json')
  expect(alg).toBe('EdDSA')
  expect(body.keys.map((key: { kid: string }) => key.kid)).toEqual([kid])
})
