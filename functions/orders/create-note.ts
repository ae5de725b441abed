import { and, count, eq } from 'drizzle-orm'
import { isStaff } from '../shared/auth/access-token.ts'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import type { Tx } from '../shared/store/postgres.ts'
import { once } from '../shared/store/transaction.ts'
import { maxNotes, NewNote, noteAdded } from './note.ts'
import { idempotencyKeys, timeline, TimelineEntry, toEntry } from './order.ts'
import { problems } from './problems.ts'
import { lockOrder, writeOrder } from './store.ts'

export const createNote = operation(
  'create-note',
  {
    request: { params: IdParam, body: NewNote },
    responses: { 201: TimelineEntry },
    problems: ['wrong-role', 'not-found', problems['too-many-notes'], problems['customer-deleted']],
    headers: ['Location'],
  },
  async ({ params: { id }, body: { text, visibility }, user, key, json }, { db }) =>
    once(db, idempotencyKeys, key, async (tx) => {
      const row = await lockOrder(tx, id, user)
      if (visibility === 'staff' && !isStaff(user))
        throw new Problem('wrong-role', { detail: 'Only staff write notes that the customer does not see.' })
      // nothing would forget it any more
      if (row.deliveryAddress === null)
        throw new Problem(problems['customer-deleted'], {
          detail: 'The order was anonymised when the customer was deleted: nothing can be added to it.',
        })
      if ((await notesOf(tx, id)) >= maxNotes)
        throw new Problem(problems['too-many-notes'], { detail: `An order has ${maxNotes} notes at most.` })
      const note = visibility === 'staff' ? { staffNote: text } : { detail: text }
      const { entries: seq } = await writeOrder(tx, row, {}, [{ type: noteAdded, ...note }])
      const [entry] = await tx
        .select()
        .from(timeline)
        .where(and(eq(timeline.orderId, id), eq(timeline.seq, seq)))
      return json(toEntry(entry!), 201, { location: `/api/v1/orders/${id}/timeline` })
    }),
)

async function notesOf(tx: Tx, orderId: string): Promise<number> {
  const [row] = await tx
    .select({ notes: count() })
    .from(timeline)
    .where(and(eq(timeline.orderId, orderId), eq(timeline.type, noteAdded)))
  return row!.notes
}
