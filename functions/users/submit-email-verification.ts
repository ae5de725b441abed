import { html } from 'hono/html'
import * as z from 'zod'
import { operation } from '../shared/http/operation.ts'
import { readForm } from '../shared/http/validate.ts'
import { alert, explained, linkPage, textsFor } from './link-page.ts'
import { verify } from './verify.ts'

/** The button of the page: confirms the address, and says what came of it. */
export const submitEmailVerification = operation(
  'submit-email-verification',
  {
    request: { form: z.object({ token: z.string() }).partial() },
    responses: { 200: z.string() },
    contentType: 'text/html',
  },
  async ({ hono, logSecurity }, { db }) => {
    const { verification, incomplete } = textsFor(hono)
    const token = (await readForm(hono))('token')
    const outcome = async () => {
      await verify(db, token, logSecurity)
      return html`<p role="status">${verification.done}</p>`
    }
    const said =
      token === '' ? alert(incomplete) : await outcome().catch((error: unknown) => explained(hono, error))
    return linkPage(hono, verification.title, said)
  },
)
