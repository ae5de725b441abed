import type { Context } from 'hono'
import { html } from 'hono/html'
import * as z from 'zod'
import { Problem } from '../shared/http/problems.ts'
import { languageOf, pageTexts } from './page-texts.ts'
import { problems } from './problems.ts'

/** The pages behind the links in mails. They work without scripts, and a GET changes nothing: mail scanners open links. */

type Content = ReturnType<typeof html>

/** A link without a token, or with odd ones, still gets a page that says so. */
export const LinkQuery = z.strictObject({ token: z.string().max(200).default('') })

/** Returns what the pages say in the language of the browser. */
export const textsFor = (c: Context) => pageTexts[languageOf(c.req.header('accept-language'))]

/** Makes a page. */
export function linkPage(c: Context, title: string, content: Content): Response | Promise<Response> {
  const page = html`<!doctype html>
    <html lang="${languageOf(c.req.header('accept-language'))}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${content}
        </main>
      </body>
    </html>`
  return c.html(page, 200, {
    'cache-control': 'no-store',
    'content-language': languageOf(c.req.header('accept-language')),
    'content-security-policy':
      "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    // the token must not be told to other sites
    'referrer-policy': 'no-referrer',
  })
}

/** What is wrong, read out by screen readers. */
export const alert = (text: string): Content => html`<p role="alert">${text}</p>`

/**
 * Returns what a page says of a problem.
 * @throws the error, if it is none of those that a page explains
 */
export function explained(c: Context, error: unknown): Content {
  const texts = textsFor(c)
  if (!(error instanceof Problem)) throw error
  if (error.type.name === problems['wrong-token'].name) return alert(texts.wrongToken)
  if (error.status === 503) return alert(texts.overloaded)
  throw error
}
