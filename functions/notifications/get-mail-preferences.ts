import { operation } from '../shared/http/operation.ts'
import { MailPreferences } from './notification.ts'
import { getsMails } from './unsubscribe-page.ts'

export const getMailPreferences = operation(
  'get-mail-preferences',
  { request: {}, responses: { 200: MailPreferences } },
  async ({ user, json }, { db }) => json({ mails: await getsMails(db, user.id) }, 200),
)
