import * as z from 'zod'
import { operation } from '../shared/http/operation.ts'
import { setMails, unsubscribePage } from './unsubscribe-page.ts'
import { TokenParam } from './unsubscribing.ts'

/** A mail program sends this when its user unsubscribes (RFC 8058), and so does the page's button. */
export const unsubscribeRecipient = operation(
  'unsubscribe-recipient',
  {
    request: { params: TokenParam },
    responses: { 200: z.string() },
    problems: ['not-found'],
    contentType: 'text/html',
  },
  async ({ params: { token }, hono }, { db, unsubscribing }) => {
    const userId = unsubscribing.userOf(token)
    await setMails(db, userId, false)
    return unsubscribePage(hono, db, userId, true)
  },
)
