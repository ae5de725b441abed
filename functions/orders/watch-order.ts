import * as z from 'zod'
import type { Context } from 'hono'
import { eventStream } from '../shared/http/event-stream.ts'
import { operation } from '../shared/http/operation.ts'
import { checkPath } from '../shared/http/validate.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { changesOf } from '../shared/store/notifications.ts'
import { maySeeEntry } from './note.ts'
import { isEnded, toEntry, type TimelineRow } from './order.ts'
import { readOrder, readTimeline } from './store.ts'
import type { Tickets } from './tickets.ts'

/** How long the stream stays open after the order has ended, for the events that still follow, in ms. */
const lingerMs = 5_000
/** How often a quiet stream sends a comment, so that proxies do not close it, in ms. */
const heartbeatMs = 15_000

const Query = z.strictObject({
  ticket: z
    .string()
    .max(1_000)
    .optional()
    .meta({ description: 'From POST …/events/tickets, instead of the Authorization header.' }),
})

/** Each event of the stream. */
const OrderUpdate = z
  .object({
    id: z.string().meta({ description: 'The `seq` of the timeline entry.' }),
    event: z.string().meta({ description: 'The `type` of the timeline entry.', example: 'order.placed' }),
    data: z.string().meta({ contentMediaType: 'application/json', description: 'The timeline entry.' }),
  })
  .meta({ id: 'OrderUpdate' })

export const watchOrder = operation(
  'watch-order',
  {
    request: { params: IdParam, query: Query },
    responses: { 200: OrderUpdate, 204: null },
    problems: ['not-found'],
    contentType: 'text/event-stream',
    authenticate: async (c: Context, { tickets }: { tickets: Tickets }) => {
      const ticket = c.req.query('ticket')
      return ticket === undefined ? undefined : tickets.verify(ticket, checkPath(IdParam, c).id)
    },
  },
  async ({ params: { id }, user, hono, empty }, { db, isSessionEnded, log }) => {
    const order = await readOrder(db, id, user)
    let seq = Number(/^\d{1,9}$/.exec(hono.req.header('last-event-id') ?? '')?.[0] ?? 0)
    // 204 tells an EventSource not to connect again
    const isVisible = (entry: TimelineRow) => maySeeEntry(entry, user)
    if (isEnded(order.status) && !(await readTimeline(db, id, seq)).some(isVisible)) return empty()
    const { session, expires = Infinity } = user
    /** The stream ends with the token, or with its session. */
    const mayWatch = async () => Date.now() < expires && !(await isSessionEnded(session))
    return eventStream(hono, log, async (stream) => {
      const changes = changesOf(db)
      let quietSince = Date.now()
      let endsAt = Infinity
      while (!stream.aborted && Date.now() < endsAt && (await mayWatch())) {
        const changed = changes.next(1_000)
        for (const entry of await readTimeline(db, id, seq)) {
          seq = entry.seq
          if (isEnded(entry.status)) endsAt = Date.now() + lingerMs
          if (!isVisible(entry)) continue
          await stream.writeSSE({ id: String(seq), event: entry.type, data: JSON.stringify(toEntry(entry)) })
          quietSince = Date.now()
        }
        if (Date.now() - quietSince > heartbeatMs) {
          await stream.write(': still here\n\n')
          quietSince = Date.now()
        }
        await changed
      }
    })
  },
)
