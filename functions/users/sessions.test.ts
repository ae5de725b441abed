import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { uuidv7 } from 'uuidv7'
import type { EventData } from '../../events/event.ts'
import { logIn, newAccount, password, type Account } from '../../test/accounts.ts'
import { expectProblem } from '../../test/problems.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { sessions } from './session.ts'

let shop: TestShop
beforeAll(async () => (shop = await openShop(['users', 'payments'])))
afterAll(() => shop.close())

const refresh = ({ refreshToken }: Pick<Account, 'refreshToken'>, headers = {}) =>
  shop.post('/sessions/refresh', { key: null, body: { refreshToken }, headers })

const list = async (as: Account) =>
  (await shop.get('/sessions', { as })).body.items as { id: string; current: boolean }[]

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0'
const safari =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605 Version/17.5 Safari/604.1'

describe('the list of sessions', () => {
  it('shows with what and from where each was used last, and which one is current', async () => {
    const ada = await newAccount(shop)
    const headers = { 'user-agent': firefox, 'x-forwarded-for': '203.0.113.77' }
    const send = { key: null, body: { email: ada.email, password }, headers }
    const { body: laptop } = await shop.post('/sessions', send)
    const { status, body, headers: answered } = await shop.get('/sessions', { as: ada })
    expect([status, answered.get('cache-control')]).toEqual([200, 'no-store'])
    expect(body.items).toEqual([
      {
        id: expect.any(String),
        device: 'Firefox on Linux',
        place: '203.0.113.0/24',
        createdAt: expect.any(String),
        usedAt: expect.any(String),
        current: false,
      },
      expect.objectContaining({ id: ada.session, device: 'Unknown device', place: null, current: true }),
    ])

    const before = body.items[0].usedAt
    await refresh(laptop, { 'user-agent': safari, 'x-forwarded-for': '2001:db8:1:2:3:4:5:6' })
    const [used] = (await shop.get('/sessions', { as: ada })).body.items
    expect(used).toMatchObject({ device: 'Safari on iPhone', place: '2001:db8:1::/48' })
    expect(used.usedAt > before).toBe(true)
    expect(used.createdAt).toBe(body.items[0].createdAt)
  })

  it('has only one’s own sessions, and none that has ended or expired', async () => {
    const [ada, grace] = [await newAccount(shop), await newAccount(shop, 'admin')]
    const [phone, tablet] = [await logIn(shop, ada.email), await logIn(shop, ada.email)]
    await shop.delete('/sessions/current', { as: phone })
    const { db } = shop.deps('users')
    await db
      .update(sessions)
      .set({ expiresAt: new Date(0) })
      .where(eq(sessions.id, tablet.session))
    expect((await list(ada)).map(({ id }) => id)).toEqual([ada.session])
    expect((await list(grace)).map(({ id }) => id)).toEqual([grace.session])
  })

  it('is sorted by the time of the log-in', async () => {
    const ada = await newAccount(shop)
    const phone = await logIn(shop, ada.email)
    const ids = async (sort: string) =>
      (await shop.get(`/sessions?sort=${sort}`, { as: ada })).body.items.map(({ id }: { id: string }) => id)
    expect(await ids('createdAt')).toEqual([ada.session, phone.session])
    expect(await ids('-createdAt')).toEqual([phone.session, ada.session])
  })
})

describe('ending a session', () => {
  it('ends only that one, for which an event is emitted, and is logged', async () => {
    const ada = await newAccount(shop)
    const phone = await logIn(shop, ada.email)
    const { status, headers } = await shop.delete(`/sessions/${phone.session}`, { as: ada })
    expect([status, headers.get('cache-control')]).toEqual([204, 'no-store'])
    expect((await refresh(phone)).status).toBe(401)
    expect((await refresh(ada)).status).toBe(200)
    expect((await shop.get(ada.path, { as: phone })).body.type).toMatch(/session-ended$/)
    expect(await shop.emitted(ada.id)).toMatchObject([
      { type: 'session.ended', data: { userId: ada.id, sessionIds: [phone.session] } },
    ])
    expect(shop.securityLog).toContainEqual(
      expect.objectContaining({ event: 'session-revoked', user: ada.id, session: phone.session }),
    )
  })

  it('lets other domains refuse its access token within 5 s', async () => {
    const ada = await newAccount(shop, 'staff')
    const phone = await logIn(shop, ada.email)
    const status = async (as: Account) => (await shop.get('/payments', { as })).status
    expect(await status(phone)).toBe(200)
    await shop.delete(`/sessions/${phone.session}`, { as: ada })
    const [event] = await shop.emitted(ada.id)
    await shop.react('end-payment-sessions', 'session.ended', event!.data as EventData<'session.ended'>)
    await vi.waitFor(async () => expect(await status(phone)).toBe(401), 5_000)
    expect(await status(ada)).toBe(200)
  })

  it('may end the current one', async () => {
    const ada = await newAccount(shop)
    expect((await shop.delete(`/sessions/${ada.session}`, { as: ada })).status).toBe(204)
    expect((await refresh(ada)).status).toBe(401)
  })

  it('finds no session of another user, not even for an admin', async () => {
    const [ada, admin] = [await newAccount(shop), await newAccount(shop, 'admin')]
    const foreign = await shop.delete(`/sessions/${ada.session}`, { as: admin })
    expectProblem(foreign, 'not-found', 'You have no such session.')
    const none = await shop.delete(`/sessions/${uuidv7()}`, { as: admin })
    expect(none.text).toBe(foreign.text)
    expect((await refresh(ada)).status).toBe(200)
  })

  it('ends it once if two requests do it at once', async () => {
    const ada = await newAccount(shop)
    const phone = await logIn(shop, ada.email)
    const send = () => shop.delete(`/sessions/${phone.session}`, { as: ada })
    const answers = await Promise.all([send(), send()])
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 404])
    expect(await shop.emitted(ada.id)).toHaveLength(1)
  })
})

describe('ending all other sessions', () => {
  it('leaves the current one and those of others, and can be repeated', async () => {
    const [ada, grace] = [await newAccount(shop), await newAccount(shop)]
    const others = [await logIn(shop, ada.email), await logIn(shop, ada.email)]
    for (let i = 0; i < 2; i++) expect((await shop.delete('/sessions/others', { as: ada })).status).toBe(204)
    for (const other of others) expect((await refresh(other)).status).toBe(401)
    for (const kept of [ada, grace]) expect((await refresh(kept)).status).toBe(200)
    expect((await list(ada)).map(({ id }) => id)).toEqual([ada.session])
    const [event, ...more] = await shop.emitted(ada.id)
    expect(more).toEqual([])
    expect((event!.data as EventData<'session.ended'>).sessionIds.toSorted()).toEqual(
      others.map(({ session }) => session).toSorted(),
    )
    expect(
      shop.securityLog.filter(({ user, event }) => user === ada.id && event === 'sessions-revoked'),
    ).toEqual([expect.objectContaining({ count: 2 })])
  })

  it('leaves one session at least if two devices end each other’s', async () => {
    const ada = await newAccount(shop)
    const phone = await logIn(shop, ada.email)
    const answers = await Promise.all([ada, phone].map((as) => shop.delete('/sessions/others', { as })))
    const refreshed = await Promise.all([ada, phone].map((device) => refresh(device)))
    expect(answers.filter(({ status }) => status === 204).length).toBeGreaterThan(0)
    expect(refreshed.filter(({ status }) => status === 200)).toHaveLength(1)
  })
})
