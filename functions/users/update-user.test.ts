import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { logIn, newAccount, newEmail, password, type Account } from '../../test/accounts.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { limits } from './attempts.ts'

let shop: TestShop
beforeAll(async () => (shop = await openShop(['users'])))
afterAll(() => shop.close())

const newPassword = 'another long password'
const currentPassword = password

const change = (account: Account, body: object, as: Account | 'admin' = account, ifMatch = '"1"') =>
  shop.patch(account.path, { as, body, ifMatch })

const refresh = ({ refreshToken }: Pick<Account, 'refreshToken'>) =>
  shop.post('/sessions/refresh', { key: null, body: { refreshToken } })

describe('changing oneself', () => {
  it('changes the name and e-mail address and returns a new version', async () => {
    const ada = await newAccount(shop)
    const email = newEmail()
    const { status, body, headers } = await change(ada, {
      name: 'Grace',
      email: email.toUpperCase(),
      currentPassword,
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({ id: ada.id, name: 'Grace', email, role: 'customer' })
    expect(body.updatedAt > body.createdAt).toBe(true)
    expect(headers.get('etag')).toBe('"2"')
    expect((await shop.get(ada.path, { as: ada })).body).toEqual(body)
    expect((await logIn(shop, email)).id).toBe(ada.id)
    expect((await refresh(ada)).status).toBe(200)
  })

  it('accepts the present e-mail address', async () => {
    const ada = await newAccount(shop)
    expect((await change(ada, { email: ada.email })).status).toBe(200)
  })

  it('rejects the e-mail address of another user', async () => {
    const [ada, grace] = [await newAccount(shop), await newAccount(shop)]
    const { status, body } = await change(ada, { email: grace.email.toUpperCase(), currentPassword })
    expect(await shop.emitted(ada.id)).toEqual([])
    expect(status).toBe(409)
    expect(body.type).toMatch(/email-taken$/)
  })

  it.each([
    ['an empty change', {}, '/body'],
    ['a short password', { password: 'short', currentPassword: password }, '/body/password'],
    ['a new password without the current one', { password: newPassword }, '/body/currentPassword'],
    ['a new e-mail address without the password', { email: newEmail() }, '/body/currentPassword'],
    ['an unknown role', { role: 'boss' }, '/body/role'],
    ['an unknown field', { id: uuidv7() }, '/body/id'],
  ])('rejects %s', async (_, body, pointer) => {
    const { status, body: problem } = await change(await newAccount(shop), body)
    expect(status).toBe(400)
    expect(problem.errors[0].pointer).toBe(pointer)
  })

  it('requires If-Match with the current version or *', async () => {
    const ada = await newAccount(shop)
    expect((await shop.patch(ada.path, { as: ada, body: { name: 'Grace' } })).status).toBe(428)
    for (const stale of ['"2"', '"x"', '1', 'W/"1"'])
      expect((await change(ada, { name: 'Grace' }, ada, stale)).status).toBe(412)
    expect((await change(ada, { name: 'Grace' }, ada, '*')).status).toBe(200)
  })

  it('accepts one of many concurrent changes to the same version', async () => {
    const ada = await newAccount(shop)
    const names = Array.from({ length: 10 }, (_, i) => `Ada ${i}`)
    const answers = await Promise.all(names.map((name) => change(ada, { name })))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200,
      ...Array<number>(9).fill(412),
    ])
  })

  it('rejects a role', async () => {
    const { status, body } = await change(await newAccount(shop), { role: 'admin' })
    expect(status).toBe(403)
    expect(body.type).toMatch(/wrong-role$/)
  })
})

describe('changing the e-mail address', () => {
  it('requires the current password', async () => {
    const ada = await newAccount(shop)
    const wrong = await change(ada, { email: newEmail(), currentPassword: 'not the password' })
    expect(wrong.status).toBe(403)
    expect(wrong.body.type).toMatch(/wrong-password$/)
    expect((await logIn(shop, ada.email)).id).toBe(ada.id)
  })

  it('ends the other sessions and emits an event, which contains no address', async () => {
    const ada = await newAccount(shop)
    const phone = await logIn(shop, ada.email)
    expect((await change(ada, { email: newEmail(), currentPassword })).status).toBe(200)
    expect((await refresh(phone)).status).toBe(401)
    expect((await refresh(ada)).status).toBe(200)
    expect(await shop.emitted(ada.id)).toMatchObject([
      { type: 'session.ended', data: { userId: ada.id, sessionIds: [phone.session] } },
      { type: 'user.email-changed', data: { userId: ada.id } },
      { type: 'user.contact-changed', data: { userId: ada.id } },
      { type: 'user.verification-requested', data: { userId: ada.id, requestId: expect.any(String) } },
    ])
  })

  it('names the sessions in several events if they would make one too large', async () => {
    const ada = await newAccount(shop)
    await shop.deps('users').db.client`insert into users.sessions (id, user_id, expires_at)
      select gen_random_uuid(), ${ada.id}, now() + interval '30 days' from generate_series(1, 1001)`
    expect((await change(ada, { email: newEmail(), currentPassword })).status).toBe(200)
    const events = (await shop.emitted(ada.id)) as { data: { sessionIds?: string[] } }[]
    expect(events.map(({ data }) => data.sessionIds?.length)).toEqual([
      1_000,
      1,
      undefined,
      undefined,
      undefined,
    ])
  })

  it('ends every session and emits the event if an admin does it, who sends the own password', async () => {
    const [ada, admin] = [await newAccount(shop), await newAccount(shop, 'admin')]
    const email = newEmail()
    expect((await change(ada, { email }, admin)).status).toBe(400)
    expect((await change(ada, { email, currentPassword }, admin)).status).toBe(200)
    expect((await refresh(ada)).status).toBe(401)
    expect((await refresh(admin)).status).toBe(200)
    expect((await shop.emitted(ada.id)).map(({ type }) => type)).toEqual([
      'session.ended',
      'user.email-changed',
      'user.contact-changed',
      'user.verification-requested',
    ])
  })
})

describe('changing the password', () => {
  it('requires the current password and ends every session', async () => {
    const ada = await newAccount(shop)
    const phone = await logIn(shop, ada.email)
    const wrong = await change(ada, { password: newPassword, currentPassword: 'not the password' })
    expect(wrong.status).toBe(403)
    expect(wrong.body.type).toMatch(/wrong-password$/)

    const right = await change(ada, { password: newPassword, currentPassword: password })
    expect(right.status).toBe(200)
    for (const device of [ada, phone]) expect((await refresh(device)).status).toBe(401)
    const old = await shop.post('/sessions', { key: null, body: { email: ada.email, password } })
    expect(old.status).toBe(401)
    expect((await logIn(shop, ada.email, newPassword)).id).toBe(ada.id)
  })

  it('leaves no session from a concurrent login with the old password', async () => {
    const admin = await newAccount(shop, 'admin')
    for (let round = 0; round < 5; round++) {
      const ada = await newAccount(shop)
      const logIns = Array.from({ length: 4 }, () =>
        shop.post('/sessions', { key: null, body: { email: ada.email, password } }),
      )
      const changed = change(ada, { password: newPassword, currentPassword }, admin)
      expect((await changed).status).toBe(200)
      const won = (await Promise.all(logIns)).filter(({ status }) => status === 201)
      const refreshed = await Promise.all(won.map(({ body }) => refresh(body)))
      expect(refreshed.filter(({ status }) => status !== 401)).toEqual([])
    }
  })

  it('counts wrong current passwords like failed logins', async () => {
    const ada = await newAccount(shop)
    const headers = { 'x-forwarded-for': '203.0.113.1' }
    const body = { password: newPassword, currentPassword: 'not the password' }
    const send = () => shop.patch(ada.path, { as: ada, body, ifMatch: '*', headers })
    const answers = await Promise.all(Array.from({ length: limits.pair.points + 5 }, send))
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(limits.pair.points)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(5)
  })

  it('requires the admin’s own password from an admin who changes that of another', async () => {
    const admin = await newAccount(shop, 'admin')
    const ada = await newAccount(shop)
    await change(ada, { password: newPassword, currentPassword })
    const body = { password: 'a third long password' }
    const send = (more: object) => change(ada, { ...body, ...more }, admin, '"2"')
    expect((await send({})).body.errors[0].pointer).toBe('/body/currentPassword')
    // the user's own password does not help
    expect((await send({ currentPassword: newPassword })).status).toBe(403)
    expect((await send({ currentPassword })).status).toBe(200)
    expect((await logIn(shop, ada.email, body.password)).id).toBe(ada.id)
  })

  it('ends the sessions if an admin does it', async () => {
    const [ada, admin] = [await newAccount(shop), await newAccount(shop, 'admin')]
    expect((await change(ada, { password: newPassword, currentPassword }, admin)).status).toBe(200)
    expect((await refresh(ada)).status).toBe(401)
    expect((await logIn(shop, ada.email, newPassword)).id).toBe(ada.id)
  })
})

describe('changing others', () => {
  it('returns 404 to everyone but admins', async () => {
    const ada = await newAccount(shop)
    for (const role of ['customer', 'seller', 'staff'] as const) {
      const send = { as: role, body: { name: 'Grace' }, ifMatch: '*' }
      const [other, none] = [await shop.patch(ada.path, send), await shop.patch(`/users/${uuidv7()}`, send)]
      expect(other.status).toBe(404)
      expect(other.text).toBe(none.text)
    }
    expect((await shop.patch(ada.path, { body: { name: 'Grace' }, ifMatch: '*' })).status).toBe(401)
  })

  it('changes the role and ends the sessions that have the old one', async () => {
    const ada = await newAccount(shop)
    const body = { role: 'seller', currentPassword }
    const admin = await newAccount(shop, 'admin')
    expect((await change(ada, body, admin)).body.role).toBe('seller')
    expect((await refresh(ada)).status).toBe(401)
    expect((await logIn(shop, ada.email)).role).toBe('seller')
  })

  it('returns 404 if there is no such user', async () => {
    const send = { as: 'admin', body: { name: 'Grace' }, ifMatch: '*' } as const
    expect((await shop.patch(`/users/${uuidv7()}`, send)).status).toBe(404)
  })
})

describe('admins', () => {
  let own: TestShop
  const demote = (path: string, as: Account) =>
    own.patch(path, { as, body: { role: 'staff', currentPassword }, ifMatch: '*' })
  beforeAll(async () => (own = await openShop(['users'])))
  afterAll(() => own.close())

  it('cannot all be demoted, not even if they demote each other concurrently', async () => {
    const admins = await Promise.all(Array.from({ length: 4 }, () => newAccount(own, 'admin')))
    const answers = await Promise.all(
      admins.map(({ path }, i) => demote(path, admins[(i + 1) % admins.length]!)),
    )
    // one request fails, because its target is the last admin or its caller was demoted first
    expect(answers.filter(({ status }) => status === 200).length).toBeLessThan(admins.length)
    const left = (await own.get('/users?role=admin', { as: 'admin' })).body.items
    expect(left.length).toBeGreaterThanOrEqual(1)

    const last = admins.find(({ id }) => id === left[0].id)!
    for (const { id } of left.slice(1)) await demote(`/users/${id}`, last)
    const { status, body } = await demote(last.path, last)
    expect(status).toBe(409)
    expect(body.type).toMatch(/last-admin$/)
  })

  it('cannot give or take a role, or take over an admin, without their own password', async () => {
    const [first, second] = [await newAccount(own, 'admin'), await newAccount(own, 'admin')]
    const ada = await newAccount(own)
    for (const [path, body] of [
      [ada.path, { role: 'admin' }],
      [ada.path, { role: 'staff' }],
      [ada.path, { role: 'seller' }],
      [second.path, { role: 'staff' }],
      [second.path, { email: newEmail() }],
      [second.path, { password: newPassword }],
      // one's own
      [first.path, { role: 'staff' }],
    ] as const) {
      const { status, body: problem } = await own.patch(path, { as: first, body, ifMatch: '*' })
      expect([status, problem.errors?.[0].pointer]).toEqual([400, '/body/currentPassword'])
    }
  })

  it('cannot restore their own role after being demoted', async () => {
    const [first, second] = [await newAccount(own, 'admin'), await newAccount(own, 'admin')]
    expect((await demote(second.path, first)).status).toBe(200)
    // the access token still says admin
    const body = { role: 'admin', currentPassword }
    const again = await own.patch(second.path, { as: second, body, ifMatch: '*' })
    expect(again.status).toBe(401)
    expect(again.body.type).toMatch(/session-ended$/)
  })
})
