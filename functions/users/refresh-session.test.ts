import { decodeJwt } from 'jose'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { logIn, newAccount } from '../../test/accounts.ts'
import { expectOwnProblem } from '../../test/problems.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { hashOf, refreshTokens, sessions } from './session.ts'

let shop: TestShop
beforeAll(async () => (shop = await openShop(['users'])))
afterAll(() => shop.close())

const refresh = (refreshToken: string) =>
  shop.post('/sessions/refresh', { key: null, body: { refreshToken } })

it('returns a new pair of tokens for the same session', async () => {
  const ada = await newAccount(shop, 'staff')
  const { status, headers, body } = await refresh(ada.refreshToken)
  expect(status).toBe(200)
  expect(body).toEqual({
    accessToken: expect.any(String),
    tokenType: 'Bearer',
    expiresIn: 900,
    refreshToken: expect.any(String),
  })
  expect(headers.get('cache-control')).toBe('no-store')
  expect(body.refreshToken).not.toBe(ada.refreshToken)
  expect(decodeJwt(body.accessToken)).toMatchObject({ sub: ada.id, role: 'staff', sid: ada.session })
  expect((await refresh(body.refreshToken)).status).toBe(200)
})

it('ends only the session of a token that is used twice', async () => {
  const ada = await newAccount(shop)
  const phone = await logIn(shop, ada.email)
  const { body: second } = await refresh(ada.refreshToken)
  const { body: third } = await refresh(second.refreshToken)
  const reused = await refresh(ada.refreshToken)
  expect(reused.status).toBe(401)
  expect(reused.body.type).toMatch(/session-ended$/)
  for (const { refreshToken } of [second, third]) expect((await refresh(refreshToken)).status).toBe(401)
  expect((await refresh(phone.refreshToken)).status).toBe(200)
})

it('accepts exactly one of many concurrent refreshes with one token', async () => {
  const ada = await newAccount(shop)
  const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(ada.refreshToken)))
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
    200,
    ...Array<number>(19).fill(401),
  ])
  // the others reused the token, so the session has ended
  const won = answers.find(({ status }) => status === 200)
  expect((await refresh(won?.body.refreshToken)).status).toBe(401)
})

it('rejects an expired token', async () => {
  const ada = await newAccount(shop)
  const { db } = shop.deps('users')
  const expired = { expiresAt: new Date(Date.now() - 1000) }
  await db
    .update(refreshTokens)
    .set(expired)
    .where(eq(refreshTokens.hash, hashOf(ada.refreshToken)))
  expect((await refresh(ada.refreshToken)).status).toBe(401)
})

it('extends the session and deletes its expired tokens', async () => {
  const ada = await newAccount(shop)
  const { db } = shop.deps('users')
  const soon = new Date(Date.now() + 60_000)
  await db.update(sessions).set({ expiresAt: soon }).where(eq(sessions.id, ada.session))
  const { body: second } = await refresh(ada.refreshToken)
  await db
    .update(refreshTokens)
    .set({ expiresAt: new Date(0) })
    .where(eq(refreshTokens.hash, hashOf(ada.refreshToken)))
  await refresh(second.refreshToken)

  const [session] = await db.select().from(sessions).where(eq(sessions.id, ada.session))
  expect(session!.expiresAt.getTime()).toBeGreaterThan(Date.now() + 29 * 24 * 60 * 60 * 1000)
  const left = await db.select().from(refreshTokens).where(eq(refreshTokens.sessionId, ada.session))
  expect(left.map(({ hash }) => hash)).not.toContain(hashOf(ada.refreshToken))
  expect(left).toHaveLength(2)
})

it('stores no token in plain text', async () => {
  const ada = await newAccount(shop)
  const rows = await shop.deps('users').db.select().from(refreshTokens)
  expect(JSON.stringify(rows)).not.toContain(ada.refreshToken)
  expect(JSON.stringify(rows)).toContain(hashOf(ada.refreshToken))
})

it('rejects an invalid token', async () => {
  expectOwnProblem(
    await refresh('not a token'),
    'session-ended',
    [401, 'The session has ended'],
    'Log in again.',
  )
  for (const body of [
    {},
    { refreshToken: '' },
    { refreshToken: 'x'.repeat(201) },
    { refreshToken: 'x', a: 1 },
  ])
    expect((await shop.post('/sessions/refresh', { key: null, body })).status).toBe(400)
})
