import * as z from 'zod'
import { operation } from '../shared/http/operation.ts'
import { unsubscribePage } from './unsubscribe-page.ts'
import { TokenParam } from './unsubscribing.ts'

export const showUnsubscribing = operation(
  'show-unsubscribing',
  {
    request: { params: TokenParam },
    responses: { 200: z.string() },
    problems: ['not-found'],
    contentType: 'text/html',
  },
  // programs that check mails for bad links open it, so it changes nothing
  async ({ params: { token }, hono }, { db, unsubscribing }) =>
    unsubscribePage(hono, db, unsubscribing.userOf(token), false),
)
