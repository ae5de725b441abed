import * as z from 'zod'
import { operation } from '../shared/http/operation.ts'
import { changeOf } from '../shared/schemas/schemas.ts'
import { MailPreferences } from './notification.ts'
import { getsMails, setMails } from './unsubscribe-page.ts'

const MailPreferencesChange = changeOf({ mails: z.boolean().optional() }, 'MailPreferencesChange')

export const updateMailPreferences = operation(
  'update-mail-preferences',
  { request: { body: MailPreferencesChange }, responses: { 200: MailPreferences } },
  async ({ body: { mails }, user, json }, { db }) => {
    if (mails !== undefined) await setMails(db, user.id, mails)
    return json({ mails: await getsMails(db, user.id) }, 200)
  },
)
