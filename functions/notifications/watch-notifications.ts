import * as z from 'zod'
import { eventStream } from '../shared/http/event-stream.ts'
import { operation } from '../shared/http/operation.ts'
import { changesOf } from '../shared/store/notifications.ts'
import { toNotification } from './render.ts'
import { readAfter, readState } from './store.ts'

/** How often a quiet stream sends a comment, so that proxies do not close it, in ms. */
const heartbeatMs = 15_000

/** Each event of the stream. */
const NotificationUpdate = z
  .object({
    id: z.string().meta({ description: 'The `seq` of the notification.' }),
    event: z.string().meta({ description: 'The `kind` of the notification.', example: 'order-confirmed' }),
    data: z.string().meta({ contentMediaType: 'application/json', description: 'The notification.' }),
  })
  .meta({ id: 'NotificationUpdate' })

export const watchNotifications = operation(
  'watch-notifications',
  { request: {}, responses: { 200: NotificationUpdate }, contentType: 'text/event-stream' },
  async ({ user, hono }, { db, isSessionEnded, log }) => {
    const last = /^\d{1,9}$/.exec(hono.req.header('last-event-id') ?? '')?.[0]
    // without one, the stream begins now
    let seq = last === undefined ? (await readState(db, user.id)).notified : Number(last)
    const { session, expires = Infinity } = user
    /** The stream ends with the token, or with its session. */
    const mayWatch = async () => Date.now() < expires && !(await isSessionEnded(session))
    return eventStream(hono, log, async (stream) => {
      const changes = changesOf(db)
      let quietSince = Date.now()
      while (!stream.aborted && (await mayWatch())) {
        const changed = changes.next(1_000)
        const rows = await readAfter(db, user.id, seq)
        if (rows.length > 0) {
          const { language } = await readState(db, user.id)
          for (const row of rows) {
            const notification = toNotification(row, language)
            seq = notification.seq
            await stream.writeSSE({
              id: String(seq),
              event: notification.kind,
              data: JSON.stringify(notification),
            })
          }
          quietSince = Date.now()
        }
        if (Date.now() - quietSince > heartbeatMs) {
          await stream.write(': still here\n\n')
          quietSince = Date.now()
        }
        // a full batch may have more behind it
        if (rows.length < 100) await changed
      }
    })
  },
)
