import { eq } from 'drizzle-orm'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newEmail, password } from '../../test/accounts.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { idempotencyKeys, users } from './user.ts'

let shop: TestShop
beforeAll(async () => (shop = await openShop(['users'])))
afterAll(() => shop.close())

const body = (values = {}) => ({ email: newEmail(), name: 'Ada', password, ...values })

const register = (values: object, key?: string | null) =>
  shop.post('/users', { body: values, ...(key === undefined ? {} : { key }) })

describe('registering', () => {
  it('creates a customer and returns the user, an ETag and a Location', async () => {
    const sent = body({ email: newEmail().toUpperCase(), name: '  Ada Lovelace ' })
    const { status, headers, body: user } = await register(sent)
    expect(status).toBe(201)
    expect(user).toEqual({
      id: expect.any(String),
      email: sent.email.toLowerCase(),
      emailVerified: false,
      secondFactor: false,
      name: 'Ada Lovelace',
      role: 'customer',
      createdAt: expect.any(String),
      updatedAt: user.createdAt,
    })
    expect(headers.get('location')).toBe(`/api/v1/users/${user.id}`)
    expect(headers.get('etag')).toBe('"1"')
    expect(headers.get('cache-control')).toBe('no-store')
    const read = await shop.get(`/users/${user.id}`, {
      as: { id: user.id, role: 'customer', session: user.id },
    })
    expect(read.body).toEqual(user)
  })

  it('rejects an e-mail address that is taken, ignoring case', async () => {
    const first = body()
    await register(first)
    const { status, body: problem } = await register(body({ email: first.email.toUpperCase() }))
    expect(status).toBe(409)
    expect(problem.type).toBe('https://zeroshop.dev/problems/email-taken')
  })

  it.each([
    ['an invalid e-mail address', { email: 'ada' }, '/body/email'],
    ['a short password', { password: 'short' }, '/body/password'],
    ['a long password', { password: 'x'.repeat(201) }, '/body/password'],
    ['an empty name', { name: ' ' }, '/body/name'],
    ['a role', { role: 'admin' }, '/body/role'],
  ])('rejects %s', async (_, values, pointer) => {
    const { status, body: problem } = await register(body(values))
    expect(status).toBe(400)
    expect(problem.errors).toEqual([{ pointer, detail: expect.any(String) }])
  })

  it('stores the password only as an argon2id hash', async () => {
    const { body: user } = await register(body())
    const [row] = await shop.deps('users').db.select().from(users).where(eq(users.id, user.id))
    expect(row?.passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  })

  it('stores different hashes for two users with the same password', async () => {
    const key = randomUUID()
    const ids = new Set([(await register(body(), key)).body.id, (await register(body(), key + 1)).body.id])
    const rows = await shop.deps('users').db.select().from(users)
    const hashes = rows.filter(({ id }) => ids.has(id)).map(({ passwordHash }) => passwordHash)
    expect(new Set(hashes).size).toBe(2)
  })
})

describe('registering with an internationalised e-mail address', () => {
  it('allows one account for all its forms, and a log-in with each of them', async () => {
    const id = randomUUID()
    const forms = [`Jürgen-${id}@Bücher.example`, `ju\u0308rgen-${id}@xn--bcher-kva.EXAMPLE`]
    const { status, body: user } = await register(body({ email: forms[0] }))
    expect([status, user.email]).toEqual([201, `jürgen-${id}@xn--bcher-kva.example`])
    for (const email of forms) {
      expect((await register(body({ email }))).status).toBe(409)
      expect((await shop.post('/sessions', { body: { email, password } })).body.user).toEqual(user)
    }
  })
})

describe('registering with an Idempotency-Key', () => {
  it('requires the key', async () => {
    expect((await register(body(), null)).status).toBe(400)
  })

  it('returns the same answer again, byte for byte', async () => {
    const [sent, key] = [body(), randomUUID()]
    const first = await register(sent, key)
    const again = await register(sent, key)
    expect(again.text).toBe(first.text)
    expect(again.status).toBe(201)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    for (const name of ['location', 'etag', 'cache-control'])
      expect(again.headers.get(name)).toBe(first.headers.get(name))
  })

  it.each([
    ['name', { name: 'Grace' }],
    ['password', { password: 'another long password' }],
    ['e-mail address', { email: newEmail() }],
  ])('rejects the key with a different %s', async (_, values) => {
    const [sent, key] = [body(), randomUUID()]
    await register(sent, key)
    expect((await register({ ...sent, ...values }, key)).status).toBe(422)
  })

  it('creates one user for 20 concurrent requests, all with the same answer', async () => {
    const [sent, key] = [body(), randomUUID()]
    const answers = await Promise.all(Array.from({ length: 20 }, () => register(sent, key)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
  })

  it('creates one user for 20 concurrent requests with different keys', async () => {
    const sent = body()
    const answers = await Promise.all(Array.from({ length: 20 }, () => register(sent)))
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b)
    expect(statuses).toEqual([201, ...Array<number>(19).fill(409)])
  })

  it('allows a rejected registration to be retried with its key', async () => {
    const [taken, key] = [body(), randomUUID()]
    await register(taken)
    expect((await register({ ...taken, name: 'Grace' }, key)).status).toBe(409)
    expect((await register(body(), key)).status).toBe(201)
  })

  it('stores no fast hash of the request, against which passwords could be tried', async () => {
    const [sent, key] = [body(), randomUUID()]
    await register(sent, key)
    const [kept] = await shop
      .deps('users')
      .db.select()
      .from(idempotencyKeys)
      .where(eq(idempotencyKeys.key, key))
    const { createHash } = await import('node:crypto')
    const quick = createHash('sha256')
      .update(`register-user\n/api/v1/users\n${JSON.stringify(sent)}`)
      .digest('base64url')
    expect(kept?.hash).toMatch(/^[\w-]{43}$/)
    expect(kept?.hash).not.toBe(quick)
  })
})
