import * as z from 'zod'
import { reaction } from '../../events/reaction.ts'
import { forgetSecrets, readSecret } from '../../events/secrets.ts'
import { sendMail } from './mail.ts'
import { sendOnce } from './mails.ts'
import { linkTexts } from './render.ts'
import { readState } from './store.ts'

const Link = z.object({ email: z.string(), token: z.string() })

/** The page of the shop that a link opens. The token is in the fragment, which browsers send to no server. */
const pages = {
  'customer.claim-requested': '/claim',
  'user.verification-requested': '/verify-email',
  'user.password-reset-requested': '/reset-password',
} as const

/** Mails a link, also to people who have no account or have unsubscribed: somebody is waiting for it. */
export const sendLink = reaction('send-link', async ({ type, data }, { db, once, mail }) => {
  const { requestId: id } = data
  const secret = await readSecret(db, id)
  // it is sent, or nobody could be reached for a day
  if (secret === undefined) {
    await once(async () => {})
    return
  }
  const { email: to, token } = Link.parse(JSON.parse(secret))
  // people without an account have chosen none
  const language = 'userId' in data ? (await readState(db, data.userId)).language : 'en'
  const texts = linkTexts(type, language, `${mail.shopUrl}${pages[type]}#token=${token}`)
  await sendOnce(
    { db, once },
    id,
    null,
    () => sendMail(mail, { id, to, name: '', language, why: 'request', ...texts }),
    (tx) => forgetSecrets(tx, [id]),
  )
})
