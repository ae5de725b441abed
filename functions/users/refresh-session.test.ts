import { decodeJwt } from 'jose'
import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { logIn, newAccount } from '../../test/accounts.ts'
import { expectOwnProblem } from '../../test/problems.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { hashOf, refreshTokens, repeatMs, sessions } from './session.ts'

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

/** Lets time pass since a token was used. */
const age = (refreshToken: string, ms: number) =>
  shop
    .deps('users')
    .db.update(refreshTokens)
    .set({ usedAt: sql`${refreshTokens.usedAt} - ${ms / 1000} * interval '1 second'` })
    .where(eq(refreshTokens.hash, hashOf(refreshToken)))

it('returns the same answer again for 10 s, byte for byte', async () => {
  const ada = await newAccount(shop)
  const first = await refresh(ada.refreshToken)
  await age(ada.refreshToken, repeatMs - 2_000)
  const again = await refresh(ada.refreshToken)
  expect([again.status, again.text]).toEqual([200, first.text])
  expect(again.headers.get('cache-control')).toBe('no-store')
  expect((await refresh(again.body.refreshToken)).status).toBe(200)
})

it('returns no answer again once the session has ended', async () => {
  const ada = await newAccount(shop)
  await refresh(ada.refreshToken)
  await shop.delete('/sessions/current', { as: ada })
  expect((await refresh(ada.refreshToken)).status).toBe(401)
})

it('returns no token of a session that ends at the same moment', async () => {
  const ada = await newAccount(shop)
  const { db } = shop.deps('users')
  let refreshing: ReturnType<typeof refresh> | undefined
  await db.client.begin(async (tx) => {
    await tx`update users.sessions set ended_at = now() where id = ${ada.session}`
    refreshing = refresh(ada.refreshToken)
    await vi.waitFor(async () => {
      const waiting =
        await tx`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
      expect(waiting).toHaveLength(1)
    })
  })
  expect((await refreshing)?.status).toBe(401)
})

it('ends only the session of a token that is used again after 10 s', async () => {
  const ada = await newAccount(shop)
  const phone = await logIn(shop, ada.email)
  const { body: second } = await refresh(ada.refreshToken)
  const { body: third } = await refresh(second.refreshToken)
  await age(ada.refreshToken, repeatMs + 1)
  const reused = await refresh(ada.refreshToken)
  expect(reused.status).toBe(401)
  expect(reused.body.type).toMatch(/session-ended$/)
  for (const { refreshToken } of [second, third]) expect((await refresh(refreshToken)).status).toBe(401)
  expect((await refresh(phone.refreshToken)).status).toBe(200)
})

it('returns one and the same answer to many concurrent refreshes with one token', async () => {
  const ada = await newAccount(shop)
  const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(ada.refreshToken)))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
  expect((await refresh(answers[0]!.body.refreshToken)).status).toBe(200)
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

it('deletes a kept answer at the next refresh after 10 s', async () => {
  const ada = await newAccount(shop)
  const { body: second } = await refresh(ada.refreshToken)
  await age(ada.refreshToken, repeatMs + 1)
  await refresh(second.refreshToken)
  const { db } = shop.deps('users')
  const rows = await db.select().from(refreshTokens).where(eq(refreshTokens.sessionId, ada.session))
  expect(rows.find(({ hash }) => hash === hashOf(ada.refreshToken))?.answer).toBeNull()
  expect(rows.find(({ hash }) => hash === hashOf(second.refreshToken))?.answer).toEqual(expect.any(String))
})

it('stores no token in plain text', async () => {
  const ada = await newAccount(shop)
  const { body } = await refresh(ada.refreshToken)
  const rows = await shop.deps('users').db.select().from(refreshTokens)
  for (const token of [ada.refreshToken, body.refreshToken, body.accessToken])
    expect(JSON.stringify(rows)).not.toContain(token)
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
