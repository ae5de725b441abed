import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type Axe from 'axe-core'
import { createTransport } from 'nodemailer'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { findChromium, openChromium } from '../../test/chromium.ts'
import { listen } from '../front.ts'
import { openMailSink, withMail, type MailSink } from './sink.ts'

let folder: string
let sink: MailSink
let server: Awaited<ReturnType<typeof listen>>
/** The paths that were asked for, except for those of the mail server. */
const reached: string[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'zeroshop-mails-'))
  sink = await openMailSink(join(folder, 'mails'), () => {})
  const shop = withMail(sink.handle, ({ url = '' }, response) => {
    reached.push(url)
    response.writeHead(204).end()
  })
  server = await listen(shop, 0)
})
afterAll(async () => {
  server.server.close()
  server.server.closeAllConnections()
  await sink.close()
  rmSync(folder, { recursive: true })
})

/** Sends a mail as a function does. */
async function send(mail: { subject: string; text?: string; html?: string }) {
  const transport = createTransport({ host: '127.0.0.1', port: sink.port })
  await transport.sendMail({ from: 'shop@example.com', to: 'ada@example.com', text: 'Hello.', ...mail })
  transport.close()
}

async function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
  const sent = request({ host: '127.0.0.1', port: server.port, path, headers, method, agent: false }).end()
  const [response] = await once(sent, 'response')
  return {
    status: response.statusCode as number,
    headers: response.headers as Record<string, string>,
    text: await text(response),
  }
}
const newest = async () => {
  const { items } = JSON.parse((await get('/_mail/mails.json')).text) as {
    items: { id: string; subject: string; to: string; at: string }[]
  }
  return items[0]!
}

describe('the local mail server', () => {
  it('keeps what the shop sends, and shows it', async () => {
    await send({
      subject: 'Hello Ada & <b>Eve</b>',
      text: 'See http://localhost:8080/x?y=1.',
      html: '<p>Hi</p>',
    })
    const mail = await newest()
    expect(mail).toMatchObject({ to: 'ada@example.com', subject: 'Hello Ada & <b>Eve</b>' })
    const escaped = 'Hello Ada &amp; &lt;b&gt;Eve&lt;/b&gt;'
    expect((await get('/_mail')).text).toContain(escaped)
    const shown = await get(`/_mail/${mail.id}`)
    expect(shown.text).toContain(escaped)
    expect(shown.text).toContain('<a href="http://localhost:8080/x?y=1" rel="noreferrer">')
    expect((await get(`/_mail/${mail.id}/html`)).text.trim()).toBe('<p>Hi</p>')
    expect((await get(`/_mail/${mail.id}/raw`)).text).toContain('\r\nTo: ada@example.com\r\n')
  })

  it('lets a mail do nothing: no script, no form, nothing from elsewhere', async () => {
    await send({ subject: 'Bad', html: '<script>alert(1)</script>' })
    const { id } = await newest()
    const { headers } = await get(`/_mail/${id}/html`)
    expect(headers['content-security-policy']).toBe(
      "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'",
    )
    const page = await get(`/_mail/${id}`)
    expect(page.headers['content-security-policy']).toBe(
      "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'self'; frame-src 'self'; frame-ancestors 'none'",
    )
    expect(page.headers).toMatchObject({
      'cross-origin-resource-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    })
  })

  it('shows mails to this machine only', async () => {
    for (const headers of [
      { host: 'shop.example' },
      { host: 'localhost.example.com' },
      { 'x-forwarded-for': '198.51.100.7' },
      { forwarded: 'for=198.51.100.7' },
    ])
      expect((await get('/_mail', headers)).status).toBe(421)
  })

  it('has no other paths and methods, and leaves those of others alone', async () => {
    for (const path of ['/_mail/1', '/_mail/x', '/_mail/../../etc/passwd', '/_mail/1/text'])
      expect((await get(path)).status).toBe(404)
    expect(await get('/_mail', {}, 'DELETE')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
    expect((await get('/_mailbox')).status).toBe(204)
  })

  it('refuses what is larger than 1 MB', async () => {
    await expect(send({ subject: 'Large', text: 'a long line\n'.repeat(100_000) })).rejects.toMatchObject({
      responseCode: 552,
    })
    expect((await newest()).subject).not.toBe('Large')
  })

  it('closes at once, even if a client does not', async () => {
    const other = await openMailSink(join(folder, 'other'), () => {})
    const { connect } = process.getBuiltinModule('node:net')
    const client = connect(other.port, '127.0.0.1')
    await once(client, 'data')
    const closed = once(client, 'close')
    await other.close()
    expect(await closed).toEqual([false])
  })
})

const chromium = findChromium()
describe.skipIf(chromium === undefined)('its pages in Chromium', () => {
  let browser: Browser
  beforeAll(async () => (browser = await openChromium(chromium!)))
  afterAll(() => browser?.close())
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

  it('list mails and show one, run none of its scripts, and can be used by everyone', async () => {
    await send({
      subject: 'A mail with a script',
      html: '<h1>Fine</h1><script>document.title = "run"</script><img src="/pixel">',
    })
    const page = await browser.newPage()
    onTestFinished(() => page.close())
    const url = `http://localhost:${server.port}`
    const seriousIn = async () => {
      // its script is not the page's, so it is run past the policy
      await page.evaluate(axe)
      const { violations } = await page.evaluate(() =>
        (globalThis as unknown as { axe: typeof Axe }).axe.run({ exclude: ['iframe'] }),
      )
      return violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])
    }
    await page.goto(`${url}/_mail`)
    expect(await seriousIn()).toEqual([])
    await page.getByRole('link', { name: 'A mail with a script' }).click()
    await page.getByRole('heading', { name: 'A mail with a script' }).waitFor()
    await page.frameLocator('iframe').getByRole('heading', { name: 'Fine' }).waitFor()
    expect(await seriousIn()).toEqual([])
    expect(await page.frames()[1]!.title()).toBe('')
    expect(reached).not.toContain('/pixel')
  })
})
