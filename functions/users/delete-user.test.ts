import { eq } from 'drizzle-orm'
import { createHash, randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { logIn, newAccount, newEmail, password, tookMails } from '../../test/accounts.ts'
import { tablesWith } from '../../test/contents.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { limits } from './attempts.ts'
import { hashOf, refreshTokens, sessions } from './session.ts'
import { idempotencyKeys, users } from './user.ts'

let shop: TestShop
beforeAll(async () => (shop = await openShop(['users'])))
afterAll(() => shop.close())

const body = { currentPassword: password }

it('lets users delete themselves, which removes their data and ends their sessions', async () => {
  const ada = await newAccount(shop)
  const phone = await logIn(shop, ada.email)
  const { status, text, headers } = await shop.delete(ada.path, { as: ada, body })
  expect([status, text]).toEqual([204, ''])
  expect(headers.get('cache-control')).toBe('no-store')

  expect((await shop.get(ada.path, { as: ada })).status).toBe(401)
  expect((await shop.get(ada.path, { as: 'admin' })).status).toBe(404)
  expect((await shop.post('/sessions', { key: null, body: { email: ada.email, password } })).status).toBe(401)
  for (const { refreshToken } of [ada, phone])
    expect((await shop.post('/sessions/refresh', { key: null, body: { refreshToken } })).status).toBe(401)
  expect(await shop.emitted(ada.id)).toMatchObject([
    { type: 'session.ended', data: { userId: ada.id } },
    { type: 'user.deleted', data: { userId: ada.id } },
  ])
  const [row] = await shop.deps('users').db.select().from(users).where(eq(users.id, ada.id))
  expect(row).toMatchObject({ email: null, name: null, passwordHash: null, deletedAt: expect.any(Date) })
})

it('frees the e-mail address and deletes the stored answer to the registration', async () => {
  const [email, key] = [newEmail(), randomUUID()]
  const registration = { email, name: 'Ada', password }
  const first = await shop.post('/users', { body: registration, key })
  await shop.delete(`/users/${first.body.id}`, { as: await newAccount(shop, 'admin'), body })
  const kept = await shop.deps('users').db.select().from(idempotencyKeys).where(eq(idempotencyKeys.key, key))
  expect(kept).toEqual([])
  const second = await shop.post('/users', { body: registration })
  expect(second.status).toBe(201)
  expect(second.body.id).not.toBe(first.body.id)
})

it.each(['toLowerCase', 'toUpperCase'] as const)(
  'leaves nothing of the person behind, however the id is written: %s',
  async (change) => {
    const [canary, network, key] = [randomUUID(), `203.0.113.${change.length}`, randomUUID()]
    const email = `${canary}@example.com`
    const headers = { 'x-forwarded-for': network }
    const registered = await shop.post('/users', { body: { email, name: canary, password }, key, headers })
    const send = (secret: string) =>
      shop.post('/sessions', { key: null, body: { email, password: secret }, headers })
    expect((await send('not the password')).status).toBe(401)
    const refreshToken = (await send(password)).body.refreshToken as string
    expect((await shop.post('/sessions/refresh', { key: null, body: { refreshToken } })).status).toBe(200)
    expect((await send('not the password')).status).toBe(401)
    const tables = (text: string) => tablesWith(shop.admin, text)
    expect([await tables(canary), await tables(network)]).toEqual([
      ['events.secrets', 'users.idempotency_keys', 'users.users'],
      ['users.attempts', 'users.sessions'],
    ])

    const { id } = registered.body as { id: string }
    const path = `/users/${id[change]()}`
    expect((await shop.delete(path, { as: await newAccount(shop, 'admin'), body })).status).toBe(204)
    await tookMails(shop)
    const account = createHash('sha256').update(email).digest('base64url')
    for (const text of [canary, account, key]) expect(await tables(text)).toEqual([])
    const { db } = shop.deps('users')
    expect(await db.select().from(sessions).where(eq(sessions.userId, id))).toMatchObject([
      { network: null, device: null, place: null, endedAt: expect.any(Date) },
    ])
    expect(
      await db
        .select()
        .from(refreshTokens)
        .where(eq(refreshTokens.hash, hashOf(refreshToken))),
    ).toEqual([])
  },
)

it('lets admins delete others once', async () => {
  const [ada, admin] = [await newAccount(shop), await newAccount(shop, 'admin')]
  expect((await shop.delete(ada.path, { as: admin, body })).status).toBe(204)
  expect((await shop.delete(ada.path, { as: admin, body })).status).toBe(404)
})

it('requires the caller’s own current password', async () => {
  const [ada, admin] = [await newAccount(shop), await newAccount(shop, 'admin')]
  const otherwise = { currentPassword: 'not the password' }
  for (const as of [ada, admin]) {
    const missing = await shop.delete(ada.path, { as, body: {} })
    expect([missing.status, missing.body.errors[0].pointer]).toEqual([400, '/body/currentPassword'])
    const wrong = await shop.delete(ada.path, { as, body: otherwise })
    expect([wrong.status, wrong.body.type]).toEqual([403, expect.stringMatching(/wrong-password$/)])
  }
  expect((await shop.get(ada.path, { as: ada })).status).toBe(200)
})

it('counts wrong passwords like failed log-ins', async () => {
  const ada = await newAccount(shop)
  const headers = { 'x-forwarded-for': '203.0.113.2' }
  const send = () =>
    shop.delete(ada.path, { as: ada, body: { currentPassword: 'not the password' }, headers })
  const answers = await Promise.all(Array.from({ length: limits.pair.points + 2 }, send))
  expect(answers.filter(({ status }) => status === 403)).toHaveLength(limits.pair.points)
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(2)
})

it('returns 404 for other users, except to admins', async () => {
  const ada = await newAccount(shop)
  for (const role of ['customer', 'seller', 'staff'] as const)
    expect((await shop.delete(ada.path, { as: role, body })).status).toBe(404)
  expect((await shop.delete(ada.path, { body })).status).toBe(401)
  expect((await shop.delete(`/users/${uuidv7()}`, { as: 'admin', body })).status).toBe(404)
  expect((await shop.delete('/users/ada', { as: 'admin', body })).status).toBe(400)
  expect((await shop.get(ada.path, { as: ada })).status).toBe(200)
})

it('checks If-Match if it is sent', async () => {
  const ada = await newAccount(shop)
  expect((await shop.delete(ada.path, { as: ada, body, ifMatch: '"2"' })).status).toBe(412)
  expect((await shop.delete(ada.path, { as: ada, body, ifMatch: '"1"' })).status).toBe(204)
})

it('refuses to delete the last admin, even if two are deleted concurrently', async () => {
  const own = await openShop(['users'])
  const admins = [await newAccount(own, 'admin'), await newAccount(own, 'admin')]
  const answers = await Promise.all(admins.map((admin) => own.delete(admin.path, { as: admin, body })))
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 409])
  expect(answers.find(({ status }) => status === 409)?.body.type).toMatch(/last-admin$/)
  await own.close()
})

it('rejects a session that has ended', async () => {
  const ada = await newAccount(shop)
  await shop.delete('/sessions/current', { as: ada })
  expect((await shop.delete(ada.path, { as: ada, body })).status).toBe(401)
})
