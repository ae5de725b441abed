import * as z from 'zod'
import { operation } from '../shared/http/operation.ts'
import { alert, linkPage, LinkQuery, textsFor } from './link-page.ts'
import { resetForm } from './reset-form.ts'

/** The page that the link in a mail opens: its form sets a new password. */
export const showPasswordReset = operation(
  'show-password-reset',
  { request: { query: LinkQuery }, responses: { 200: z.string() }, contentType: 'text/html' },
  async ({ query: { token }, hono }) => {
    const texts = textsFor(hono)
    return linkPage(hono, texts.reset.title, token === '' ? alert(texts.incomplete) : resetForm(texts, token))
  },
)
