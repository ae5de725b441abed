import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { transaction } from '../shared/store/transaction.ts'
import { Notification } from './notification.ts'
import { toNotification } from './render.ts'
import { markRead, readState } from './store.ts'

export const readNotification = operation(
  'read-notification',
  { request: { params: IdParam }, responses: { 200: Notification }, problems: ['not-found'] },
  async ({ params: { id }, user, json }, { db }) => {
    const row = await transaction(db, (tx) => markRead(tx, id, user))
    const { language } = await readState(db, user.id)
    return json(toNotification(row, language), 200)
  },
)
