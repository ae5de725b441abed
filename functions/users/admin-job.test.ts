import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { logIn, newAccount, newEmail, password } from '../../test/accounts.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { runAdmin } from './admin-job.ts'
import { readConfig } from '../shared/process/config.ts'

let shop: TestShop
beforeAll(async () => (shop = await openShop(['users'])))
afterAll(() => shop.close())

const environment = (ADMIN_EMAIL: string, more: Record<string, string> = {}) => ({
  ADMIN_EMAIL,
  USERS_DATABASE_URL: shop.database('users'),
  ...more,
})
const run = (email: string, secret = password, more: Record<string, string> = {}) =>
  runAdmin(readConfig(environment(email, more)), log, async () => secret)

/** The entries of the job's security log. */
const logged: unknown[] = []
const log = pino(
  {},
  { write: (line: string) => logged.push((JSON.parse(line) as { security: object }).security) },
)

describe('npm run admin', () => {
  it('creates an admin, who logs in with the password', async () => {
    const email = newEmail()
    expect(await run(email.toUpperCase(), password, { ADMIN_NAME: 'Ada Lovelace' })).toBe(
      `${email} is a new admin.`,
    )
    const { id: user, ...admin } = await logIn(shop, email)
    expect(admin).toMatchObject({ role: 'admin', name: 'Ada Lovelace' })
    expect(logged.at(-1)).toEqual({ event: 'admin-created', outcome: 'done', actor: 'system', user })
  })

  it('promotes a user, who keeps the password and has to log in again', async () => {
    const ada = await newAccount(shop)
    const done = `${ada.email} is an admin now, with the same password as before.`
    expect(await run(ada.email, 'another long password', { ADMIN_PROMOTE: 'yes' })).toBe(done)
    const change = { event: 'role-changed', user: ada.id, from: 'customer', to: 'admin' }
    expect(logged.at(-1)).toMatchObject(change)
    const refresh = { key: null, body: { refreshToken: ada.refreshToken } }
    expect((await shop.post('/sessions/refresh', refresh)).status).toBe(401)
    const admin = await logIn(shop, ada.email)
    expect(admin).toMatchObject({ id: ada.id, role: 'admin' })
    // again: nothing changes
    expect(await run(ada.email)).toBe(done)
    expect(logged.filter((entry) => JSON.stringify(entry).includes(ada.id))).toHaveLength(1)
    const again = { key: null, body: { refreshToken: admin.refreshToken } }
    expect((await shop.post('/sessions/refresh', again)).status).toBe(200)
  })

  it('promotes no stranger who has registered the address in advance', async () => {
    const mallory = await newAccount(shop, 'customer', 'Mallory')
    await expect(run(mallory.email)).rejects.toThrow(
      `${mallory.email} is already a user: Mallory, since ${new Date().toISOString().slice(0, 10)}. If you know that it is the right person, run this again with --promote (ADMIN_PROMOTE=yes); they keep their password.`,
    )
    expect((await logIn(shop, mallory.email)).role).toBe('customer')
  })

  it.each([
    ['short', /The user cannot be created: .*at password/s],
    ['1234567890', /^The password repeats a few characters, or only counts up or down: choose another\.$/],
    [
      'password123',
      /^The password is a common password, with or without digits around it: choose another\.$/,
    ],
  ])('refuses the password %s', async (secret, says) => {
    const email = newEmail()
    await expect(run(email, secret)).rejects.toThrow(says)
    expect((await shop.get(`/users?q=${email}`, { as: 'admin' })).body.items).toEqual([])
  })

  it('says which setting is wrong', async () => {
    await expect(run('ada')).rejects.toThrow('ADMIN_EMAIL is not an e-mail address.')
    await expect(runAdmin(readConfig({ ADMIN_EMAIL: newEmail() }), log)).rejects.toThrow(
      'DATABASE_URL is not set',
    )
  })

  it('goes around the pooler where the job may not reach it', async () => {
    const email = newEmail()
    const pooled = new URL(shop.database('users'))
    pooled.host = 'pgbouncer.invalid:5432'
    const urls = { USERS_DATABASE_URL: pooled.href, ADMIN_DATABASE_URL: shop.admin }
    expect(await run(email, password, urls)).toBe(`${email} is a new admin.`)
  })

  it('reads the password from standard input', async () => {
    const email = newEmail()
    const start = (input: string) => {
      const child = spawn(process.execPath, [join(import.meta.dirname, '../main.ts')], {
        env: { PATH: process.env['PATH'], FUNCTION: 'admin', ...environment(email) },
      })
      child.stdin.end(input)
      return Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)])
    }
    const [[refused], , why] = await start('')
    expect([refused, why]).toEqual([
      1,
      `zeroshop: There is no user ${email}. To create one, send the password on standard input, or run this in a terminal.\n`,
    ])
    const [[code], said] = await start(`${password}\n`)
    expect([code, said.split('\n').at(-2)]).toEqual([0, `${email} is a new admin.`])
    expect(said).not.toContain(password)
    expect((await logIn(shop, email)).role).toBe('admin')
  })
})
