import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { html } from 'hono/html'
import PostalMime, { type Email } from 'postal-mime'
import { sendProblem } from '../activator/problem.ts'
import { whyRefused } from '../console/guard.ts'
import { filePage, jsonPage, sendPage, type Page } from '../pages.ts'
import type { Mailbox } from './mailbox.ts'

/** The pages that show the mails. They run no script, and load nothing from elsewhere, whatever is in a mail. */

const common = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

const nothing = "default-src 'none'; base-uri 'none'; form-action 'none'"
const ofPages = `${nothing}; style-src 'self'; frame-src 'self'; frame-ancestors 'none'`
/** A mail's own HTML is shown in a frame that may do nothing. */
const ofMails = `sandbox; ${nothing}; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'`

/** Answers a request for a path below `/_mail`. */
export async function answer(
  mailbox: Mailbox,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  for (const [name, value] of Object.entries(common)) response.setHeader(name, value)
  response.setHeader('Content-Security-Policy', ofPages)
  if (whyRefused(request, 'open') !== undefined) return sendProblem(response, 'misdirected-request')
  const path = (request.url ?? '').split('?')[0]!.replace(/^\/_mail\/?/, '')
  try {
    const page = await pageAt(mailbox, path)
    if (page === undefined) return sendProblem(response, 'not-found')
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return sendProblem(response, 'method-not-allowed', { Allow: 'GET, HEAD' })
    if (path.endsWith('/html')) response.setHeader('Content-Security-Policy', ofMails)
    sendPage(request, response, page)
  } catch {
    // a mail that cannot be parsed
    sendProblem(response, 'bad-gateway')
  }
}

async function pageAt(mailbox: Mailbox, path: string): Promise<Page | undefined> {
  if (path === '') return htmlPage(list(await summaries(mailbox)))
  if (path === 'style.css') return filePage(join(import.meta.dirname, 'style.css'))
  if (path === 'mails.json') return jsonPage({ items: await summaries(mailbox) })
  const [, id, part] = /^(\d{1,16})(?:\/(html|raw))?$/.exec(path) ?? []
  const raw = id === undefined ? undefined : mailbox.read(id)
  if (id === undefined || raw === undefined) return undefined
  if (part === 'raw') return { type: 'text/plain; charset=utf-8', read: () => raw }
  const mail = await PostalMime.parse(raw)
  if (part === 'html') return mail.html === undefined ? undefined : htmlPage(mail.html)
  return htmlPage(message(id, mail))
}

const htmlPage = (content: unknown): Page => ({
  type: 'text/html; charset=utf-8',
  read: () => String(content),
})

/** What the list shows of a mail. */
export interface MailSummary {
  id: string
  at: string
  to: string
  subject: string
}

const summaries = (mailbox: Mailbox): Promise<MailSummary[]> =>
  Promise.all(
    mailbox.ids().map(async (id) => {
      const { to, subject } = await PostalMime.parse(mailbox.read(id) ?? '')
      return { id, at: new Date(Number(id)).toISOString(), to: addresses(to), subject: subject ?? '' }
    }),
  )

const addresses = (list: Email['to']) => (list ?? []).map(({ address, name }) => address ?? name).join(', ')

const document = (title: string, content: unknown) =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
        <link rel="stylesheet" href="/_mail/style.css" />
      </head>
      <body>
        <main>${content}</main>
      </body>
    </html>`

const list = (mails: MailSummary[]) =>
  document(
    'Mails',
    html`<h1>Mails</h1>
      <p>What the shop has sent. It stays on this machine; the newest 200 are kept.</p>
      ${
        mails.length === 0
          ? html`<p>There are none yet: order something.</p>`
          : html`<table>
              <thead>
                <tr>
                  <th scope="col">Sent</th>
                  <th scope="col">To</th>
                  <th scope="col">Subject</th>
                </tr>
              </thead>
              <tbody>
                ${mails.map(
                  ({ id, at, to, subject }) =>
                    html`<tr>
                      <td><time datetime="${at}">${at.slice(0, 19).replace('T', ' ')}</time></td>
                      <td>${to}</td>
                      <td><a href="/_mail/${id}">${subject}</a></td>
                    </tr>`,
                )}
              </tbody>
            </table>`
      }`,
  )

const message = (id: string, mail: Email) => {
  const { subject = '', from, to, date, text = '' } = mail
  const rows = {
    From: from && addresses([from]),
    To: addresses(to),
    Date: date,
    'Message-ID': mail.messageId,
  }
  const links = [...new Set(text.match(/https?:\/\/[^\s<>"]*[^\s<>".,;:)]/g))]
  return document(
    subject,
    html`<p><a href="/_mail">All mails</a></p>
      <h1>${subject}</h1>
      <dl>
        ${Object.entries(rows).map(
          ([name, value]) =>
            html`<dt>${name}</dt>
              <dd>${value ?? ''}</dd>`,
        )}
      </dl>
      ${
        links.length === 0
          ? ''
          : html`<h2>Links</h2>
              <ul>
                ${links.map((link) => html`<li><a href="${link}" rel="noreferrer">${link}</a></li>`)}
              </ul>`
      }
      <h2>Text</h2>
      <pre>${text}</pre>
      ${
        mail.html === undefined
          ? ''
          : html`<h2>HTML</h2>
              <iframe sandbox src="/_mail/${id}/html" title="The mail as HTML"></iframe>`
      }
      <p><a href="/_mail/${id}/raw">Source</a></p>`,
  )
}
