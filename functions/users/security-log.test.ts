import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newAccount, newEmail, password } from '../../test/accounts.ts'
import { openShop, type Send, type TestShop } from '../../test/shop.ts'
import { limits } from './attempts.ts'

let shop: TestShop
beforeAll(async () => (shop = await openShop(['users'])))
afterAll(() => shop.close())

const address = '198.51.100.7'
const currentPassword = password

/** Sends a request. Returns its entries in the security log. */
async function logged(method: 'post' | 'patch' | 'delete', path: string, send: Send) {
  const requestId = randomUUID()
  await shop[method](path, {
    key: null,
    ifMatch: '*',
    ...send,
    headers: { 'x-request-id': requestId, 'x-forwarded-for': address },
  })
  return shop.securityLog.filter((entry) => entry['requestId'] === requestId)
}

const by = (operation: string, actor: unknown = 'anonymous') => ({
  actor,
  address,
  operation,
  requestId: expect.any(String),
})

describe('the security log has one line for', () => {
  it('a log-in, whether it succeeds or not', async () => {
    const ada = await newAccount(shop)
    const send = (email: string, secret: string) =>
      logged('post', '/sessions', { body: { email, password: secret } })
    const common = by('log-in')
    expect(await send(ada.email, password)).toEqual([
      { ...common, event: 'logged-in', outcome: 'done', user: ada.id, session: expect.any(String) },
    ])
    expect(await send(ada.email, 'not the password')).toEqual([
      { ...common, event: 'wrong-credentials', outcome: 'refused', user: ada.id },
    ])
    expect(await send(newEmail(), password)).toEqual([
      { ...common, event: 'wrong-credentials', outcome: 'refused', user: 'unknown' },
    ])
  })

  it('a log-in that is refused because of a limit', async () => {
    const ada = await newAccount(shop)
    const send = () =>
      logged('post', '/sessions', { body: { email: ada.email, password: 'not the password' } })
    for (let i = 0; i < limits.pair.points; i++) await send()
    expect(await send()).toEqual([
      { ...by('log-in'), event: 'too-many-attempts', outcome: 'refused', user: ada.id, limit: 'pair' },
    ])
  })

  it('a refresh token that is reused too late', async () => {
    const ada = await newAccount(shop)
    const send = () => logged('post', '/sessions/refresh', { body: { refreshToken: ada.refreshToken } })
    await send()
    await shop.deps('users').db
      .client`update users.refresh_tokens set used_at = used_at - interval '11 seconds'`
    expect(await send()).toEqual([
      {
        ...by('refresh-session'),
        event: 'session-ended',
        outcome: 'refused',
        reason: 'refresh token reused',
        session: ada.session,
      },
    ])
  })

  it('each change of a role, a password or an e-mail address, and a deletion', async () => {
    const [ada, admin] = [await newAccount(shop), await newAccount(shop, 'admin')]
    const actor = { id: admin.id, role: 'admin' }
    const change = (body: object) =>
      logged('patch', ada.path, { as: admin, body: { currentPassword, ...body } })
    const done = { ...by('update-user', actor), outcome: 'done', user: ada.id }
    expect(await change({ role: 'seller' })).toEqual([
      { ...done, event: 'role-changed', from: 'customer', to: 'seller' },
    ])
    expect(await change({ password: 'another long password' })).toEqual([
      { ...done, event: 'password-changed' },
    ])
    expect(await change({ email: newEmail() })).toEqual([{ ...done, event: 'email-changed' }])
    expect(await change({ name: 'Grace' })).toEqual([])
    expect(await logged('delete', ada.path, { as: admin, body: { currentPassword } })).toEqual([
      { ...done, operation: 'delete-user', event: 'user-deleted' },
    ])
  })

  it('a wrong current password', async () => {
    const ada = await newAccount(shop)
    const body = { password: 'another long password', currentPassword: 'not the password' }
    expect(await logged('patch', ada.path, { as: ada, body })).toEqual([
      {
        ...by('update-user', { id: ada.id, role: 'customer' }),
        event: 'wrong-password',
        outcome: 'refused',
      },
    ])
  })
})

it('has no password, token, name or e-mail address', () => {
  const whole = JSON.stringify(shop.securityLog)
  expect(shop.securityLog.length).toBeGreaterThan(10)
  for (const secret of ['@', password, 'not the password', 'another long', 'Ada', 'Grace', 'eyJ'])
    expect(whole).not.toContain(secret)
})
