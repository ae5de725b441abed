import { etag } from '../shared/http/entity-tag.ts'
import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { transaction } from '../shared/store/transaction.ts'
import { problems } from './problems.ts'
import { NewRefusal, Return, toReturn } from './return.ts'
import { lockReturn, statusAfter, told, writeReturn } from './store.ts'

/** Refuses a return, also one that was approved: its pieces can be in another one then. */
export const refuseReturn = operation(
  'refuse-return',
  {
    request: { params: IdParam, body: NewRefusal },
    responses: { 200: Return },
    problems: ['not-found', problems['wrong-return-status']],
    headers: ['ETag'],
  },
  async ({ params, body: { reason }, json }, { db }) => {
    const row = await transaction(db, async (tx) => {
      const { row } = await lockReturn(tx, params.id)
      // a repeated request succeeds without another change
      if (row.status === 'refused') return row
      const status = statusAfter(row, 'refuse')
      await tx.emit('return.refused', row.orderId, { ...told(row), reason })
      return writeReturn(tx, row, { status, refusal: reason, decidedAt: new Date() })
    })
    return json(toReturn(row), 200, { etag: etag(row.version) })
  },
)
