import type { AddressInfo } from 'node:net'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { logIn, mailedTo, newAccount, type Account } from '../../test/accounts.ts'
import { findChromium, openChromium } from '../../test/chromium.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { toServer } from '../shared/process/serve-operation.ts'
import { languageOf } from './page-texts.ts'

let shop: TestShop
beforeAll(async () => (shop = await openShop(['users'])))
afterAll(() => shop.close())

let lastAddress = 0
const from = () => ({ 'x-forwarded-for': `198.51.100.${++lastAddress}` })

/** Returns the token of a link that was mailed for an account. */
async function tokenFor(account: Account, purpose: 'verification' | 'reset'): Promise<string> {
  if (purpose === 'verification')
    await shop.post(`${account.path}/email-verification`, { as: account, key: null, headers: from() })
  else await shop.post('/password-resets', { key: null, body: { email: account.email }, headers: from() })
  return (await mailedTo(shop, account.id)).at(-1)!.token
}

const open = (path: string, token: string, language = 'en') =>
  shop.get(`${path}?token=${token}`, { headers: { 'accept-language': language } })

const send = (path: string, fields: Record<string, string>, language = 'en') =>
  shop.post(path, {
    key: null,
    body: new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'accept-language': language },
  })

const isVerified = async (account: Account) =>
  (await shop.get(account.path, { as: account })).body.emailVerified as boolean

const newPassword = 'marmalade on the tandem'

describe('the page that confirms an e-mail address', () => {
  it('changes nothing when it is opened, and confirms the address by its button', async () => {
    const ada = await newAccount(shop)
    const token = await tokenFor(ada, 'verification')
    const page = await open('/verify-email', token)
    expect(page.status).toBe(200)
    expect(page.text).toContain(`<input type="hidden" name="token" value="${token}" />`)
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(page.headers.get('referrer-policy')).toBe('no-referrer')
    expect(page.headers.get('cache-control')).toBe('no-store')
    expect(await isVerified(ada)).toBe(false)
    expect((await send('/verify-email', { token })).text).toContain('your e-mail address is confirmed')
    expect(await isVerified(ada)).toBe(true)
    expect((await send('/verify-email', { token })).text).toContain('does not work any more')
  })

  it('speaks the language of the browser', async () => {
    expect((await open('/verify-email', 'x', 'es-ES,es;q=0.9,en;q=0.5')).text).toContain('<html lang="es">')
    expect((await open('/verify-email', 'x', 'de')).text).toContain('<html lang="en">')
    expect((await send('/verify-email', { token: 'x' }, 'es')).text).toContain('Este enlace ya no sirve')
  })

  it('says so if the link is not complete', async () => {
    for (const { text } of [await shop.get('/verify-email'), await send('/verify-email', {})])
      expect(text).toContain('not complete')
  })

  it.each(['multipart/form-data', 'application/json', 'application/x-www-form-urlencoded; charset=latin1'])(
    'refuses what no page sends: %s',
    async (type) => {
      for (const path of ['/verify-email', '/reset-password']) {
        const answer = await shop.post(path, {
          key: null,
          body: 'token=x',
          headers: { 'content-type': type },
        })
        expect([path, answer.status]).toEqual([path, 415])
        expect(answer.headers.get('accept')).toBe('application/x-www-form-urlencoded')
      }
    },
  )

  it('writes what is in the link as text', async () => {
    const { text } = await open('/verify-email', encodeURIComponent('"><script>alert(1)</script>'))
    expect(text).not.toContain('<script')
    expect(text).toContain('&quot;&gt;&lt;script&gt;')
  })
})

describe('the page that sets a new password', () => {
  it('sets it once, and ends the sessions', async () => {
    const ada = await newAccount(shop)
    const token = await tokenFor(ada, 'reset')
    expect((await open('/reset-password', token)).text).toContain('name="again"')
    const fields = { token, password: newPassword, again: newPassword }
    expect((await send('/reset-password', fields)).text).toContain('Your new password is set')
    expect((await logIn(shop, ada.email, newPassword)).id).toBe(ada.id)
    expect((await send('/reset-password', fields)).text).toContain('does not work any more')
  })

  it.each([
    ['two that differ', newPassword, `${newPassword}!`, 'The two passwords differ'],
    ['a short one', 'short', 'short', '10 to 200 characters'],
    ['a common one', 'password1234', 'password1234', 'Many people use this password'],
    ['one that repeats', 'abababababab', 'abababababab', 'repeats a few characters'],
  ])('refuses %s, says why, and shows the form again', async (_, password, again, why) => {
    const ada = await newAccount(shop)
    const token = await tokenFor(ada, 'reset')
    const { text } = await send('/reset-password', { token, password, again })
    expect(text).toContain(why)
    expect(text).toContain(`value="${token}"`)
    // the password is in no answer
    expect(text).not.toContain(`"${password}"`)
    const good = { token, password: newPassword, again: newPassword }
    expect((await send('/reset-password', good)).text).toContain('Your new password is set')
  })

  it('has a token for one purpose only', async () => {
    const ada = await newAccount(shop)
    const token = await tokenFor(ada, 'verification')
    const { text } = await send('/reset-password', { token, password: newPassword, again: newPassword })
    expect(text).toContain('does not work any more')
  })
})

it('takes the language that is wanted most, of those that there are', () => {
  expect(['en;q=0.2,es;q=0.8', 'de,es;q=0.3,en;q=0.1', 'fr', '', undefined].map(languageOf)).toEqual([
    'es',
    'es',
    'en',
    'en',
    'en',
  ])
})

const chromium = findChromium()
describe.skipIf(chromium === undefined)('in a browser without scripts', () => {
  let browser: Browser
  const server = createServer()
  let url: string
  beforeAll(async () => {
    const functions = toServer(shop.app)
    server.on('request', (request, response) => functions.emit('request', request, response))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    browser = await openChromium(chromium!)
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    server.close()
    server.closeAllConnections()
  })

  it('sets a new password', async () => {
    const ada = await newAccount(shop)
    const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage()
    await page.goto(`${url}/reset-password?token=${await tokenFor(ada, 'reset')}`)
    const fill = async (password: string, again: string) => {
      await page.getByLabel('New password').fill(password)
      await page.getByLabel('The same once more').fill(again)
      await page.getByRole('button', { name: 'Set the password' }).click()
    }
    await fill(newPassword, 'another password')
    expect(await page.getByRole('alert').textContent()).toContain('The two passwords differ')
    await fill(newPassword, newPassword)
    expect(await page.getByRole('status').textContent()).toContain('Your new password is set')
    expect((await logIn(shop, ada.email, newPassword)).id).toBe(ada.id)
  }, 60_000)
})
