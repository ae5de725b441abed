import { html } from 'hono/html'
import * as z from 'zod'
import { operation } from '../shared/http/operation.ts'
import { alert, linkPage, LinkQuery, textsFor } from './link-page.ts'

/** The page that the link in a mail opens: its button confirms the address. */
export const showEmailVerification = operation(
  'show-email-verification',
  { request: { query: LinkQuery }, responses: { 200: z.string() }, contentType: 'text/html' },
  async ({ query: { token }, hono }) => {
    const { verification, incomplete } = textsFor(hono)
    const form = html`<p>${verification.question}</p>
      <form method="post" action="/verify-email">
        <input type="hidden" name="token" value="${token}" />
        <button>${verification.button}</button>
      </form>`
    return linkPage(hono, verification.title, token === '' ? alert(incomplete) : form)
  },
)
