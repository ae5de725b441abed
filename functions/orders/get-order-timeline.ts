import * as z from 'zod'
import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { maySeeEntry } from './note.ts'
import { TimelineEntry, toEntry } from './order.ts'
import { readOrder, readTimeline } from './store.ts'

export const getOrderTimeline = operation(
  'get-order-timeline',
  {
    request: { params: IdParam },
    responses: { 200: z.object({ items: z.array(TimelineEntry) }).meta({ id: 'Timeline' }) },
    problems: ['not-found'],
  },
  async ({ params, user, json }, { db }) => {
    await readOrder(db, params.id, user)
    const entries = (await readTimeline(db, params.id)).filter((entry) => maySeeEntry(entry, user))
    // events of other domains may arrive out of order
    return json({ items: entries.sort((a, b) => a.at.getTime() - b.at.getTime()).map(toEntry) }, 200)
  },
)
