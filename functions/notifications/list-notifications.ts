import * as z from 'zod'
import { and, desc, eq, isNull, lt } from 'drizzle-orm'
import { operation } from '../shared/http/operation.ts'
import { page, pageOf, PageQuery, readCursor } from '../shared/http/paging.ts'
import { Notification, notifications } from './notification.ts'
import { toNotification } from './render.ts'
import { readState } from './store.ts'

const Query = PageQuery.extend({
  unread: z
    .enum(['true', 'false'])
    .default('false')
    .meta({ description: 'Only those that are not marked as read.' }),
})

export const listNotifications = operation(
  'list-notifications',
  {
    request: { query: Query },
    responses: { 200: pageOf(Notification, 'Notifications') },
    headers: ['Link'],
  },
  async ({ query, user, json, hono }, { db }) => {
    const [before] = readCursor(hono, query.cursor, 'number') ?? []
    const [{ language }, rows] = await Promise.all([
      readState(db, user.id),
      db
        .select()
        .from(notifications)
        .where(
          and(
            eq(notifications.userId, user.id),
            query.unread === 'true' ? isNull(notifications.readAt) : undefined,
            before === undefined ? undefined : lt(notifications.seq, before),
          ),
        )
        .orderBy(desc(notifications.seq))
        .limit(query.limit + 1),
    ])
    const items = rows.map((row) => toNotification(row, language))
    return json(
      page(hono, items, query.limit, ({ seq }) => [seq]),
      200,
    )
  },
)
