import { html } from 'hono/html'
import * as z from 'zod'
import { operation } from '../shared/http/operation.ts'
import type { LogSecurity } from '../shared/http/security-log.ts'
import { readForm } from '../shared/http/validate.ts'
import type { Db } from '../shared/store/postgres.ts'
import { hashing } from './hashing.ts'
import { alert, explained, linkPage, textsFor } from './link-page.ts'
import { holderOf } from './mailing.ts'
import type { pageTexts } from './page-texts.ts'
import { findWeakness } from './password-rules.ts'
import { reset } from './reset.ts'
import { resetForm } from './reset-form.ts'
import { Password } from './user.ts'

type Texts = (typeof pageTexts)['en']

/** The form of the page: sets the password, or says what is wrong with it and shows the form again. */
export const submitPasswordReset = operation(
  'submit-password-reset',
  {
    request: {
      form: z.object({ token: z.string(), password: z.string(), again: z.string() }).partial(),
    },
    responses: { 200: z.string() },
    problems: ['overloaded'],
    contentType: 'text/html',
  },
  hashing(async ({ hono, logSecurity }, { db }) => {
    const texts = textsFor(hono)
    const field = await readForm(hono)
    const token = field('token')
    const outcome = async () => {
      const wrong = await setPassword(db, texts, field, logSecurity)
      return wrong === undefined
        ? html`<p role="status">${texts.reset.done}</p>`
        : resetForm(texts, token, wrong)
    }
    const said =
      token === ''
        ? alert(texts.incomplete)
        : await outcome().catch((error: unknown) => explained(hono, error))
    return linkPage(hono, texts.reset.title, said)
  }),
)

/** Sets the password of a form. Returns what is wrong with it, if it is not set. */
async function setPassword(
  db: Db,
  { reset: said, weak }: Texts,
  field: (name: string) => string,
  logSecurity: LogSecurity,
): Promise<string | undefined> {
  const token = field('token')
  const { email, name } = await holderOf(db, 'reset', token)
  const { success, data: password } = Password.safeParse(field('password'))
  if (!success) return said.length
  if (password !== field('again').normalize('NFKC')) return said.differ
  const weakness = await findWeakness(password, { email: email!, name: name! })
  if (weakness !== undefined) return weak[weakness]
  await reset(db, { token, password }, logSecurity)
  return undefined
}
