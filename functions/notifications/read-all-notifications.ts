import * as z from 'zod'
import { and, eq, isNull, lte, sql } from 'drizzle-orm'
import { operation } from '../shared/http/operation.ts'
import { notifications } from './notification.ts'

const Reading = z
  .strictObject({
    upTo: z.int().min(0).max(2_147_483_647).optional().meta({
      description:
        'The `seq` of the newest notification that the user has seen, so that one that has just come stays unread; all if not given.',
    }),
  })
  .meta({ id: 'Reading' })

const Unread = z
  .object({ unread: z.int().meta({ description: 'How many are still unread.' }) })
  .meta({ id: 'Unread' })

export const readAllNotifications = operation(
  'read-all-notifications',
  { request: { body: Reading }, responses: { 200: Unread } },
  async ({ body: { upTo }, user, json }, { db }) => {
    const unread = and(eq(notifications.userId, user.id), isNull(notifications.readAt))
    const seen = upTo === undefined ? unread : and(unread, lte(notifications.seq, upTo))
    await db
      .update(notifications)
      .set({ readAt: sql`now()` })
      .where(seen)
    return json({ unread: await db.$count(notifications, unread) }, 200)
  },
)
