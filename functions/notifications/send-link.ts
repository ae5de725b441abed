import * as z from 'zod'
import { batchReaction } from '../../events/reaction.ts'
import { forgetSecrets, readSecret } from '../../events/secrets.ts'
import { mailerOf } from './mailer.ts'
import { attempt, finishAll } from './mails.ts'
import { linkTexts } from './render.ts'
import { readState } from './store.ts'

const Link = z.object({ email: z.string(), token: z.string() })

/**
 * The page of the shop that a link opens, up to the token. Where a page can work with it in the browser, it is in the
 * fragment, which browsers send to no server. The other pages are of the shop itself, and work without scripts.
 */
const pages = {
  'customer.claim-requested': '/claim#token=',
  'user.verification-requested': '/verify-email?token=',
  'user.password-reset-requested': '/reset-password?token=',
} as const

/** Mails links, also to people who have no account or have unsubscribed: somebody is waiting for them. */
export const sendLink = batchReaction('send-link', {
  prepare: async ({ type, data }, { db, mail }) => {
    const { requestId: id } = data
    const secret = await readSecret(db, id)
    // it is sent, or nobody could be reached for a day
    if (secret === undefined) return undefined
    const { email: to, token } = Link.parse(JSON.parse(secret))
    // people without an account have chosen none
    const language = 'userId' in data ? (await readState(db, data.userId)).language : 'en'
    const texts = linkTexts(type, language, `${mail.shopUrl}${pages[type]}${token}`)
    const { turn, send } = mailerOf(mail)
    return turn(() =>
      attempt(db, id, null, () => send({ id, to, name: '', language, why: 'request', ...texts })),
    )
  },
  write: async (tx, _, found) => {
    const sent = found.filter((one) => one !== undefined)
    await Promise.all([
      finishAll(tx, sent),
      forgetSecrets(
        tx,
        sent.map(({ id }) => id),
      ),
    ])
  },
})
