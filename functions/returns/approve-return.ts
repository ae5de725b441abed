import { etag } from '../shared/http/entity-tag.ts'
import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { transaction } from '../shared/store/transaction.ts'
import { problems } from './problems.ts'
import { Return, toReturn } from './return.ts'
import { lockReturn, statusAfter, told, writeReturn } from './store.ts'

export const approveReturn = operation(
  'approve-return',
  {
    request: { params: IdParam },
    responses: { 200: Return },
    problems: ['not-found', problems['wrong-return-status']],
    headers: ['ETag'],
  },
  async ({ params, json }, { db }) => {
    const row = await transaction(db, async (tx) => {
      const { row } = await lockReturn(tx, params.id)
      // a repeated request succeeds without another change
      if (row.status === 'approved') return row
      const status = statusAfter(row, 'approve')
      await tx.emit('return.approved', row.orderId, told(row))
      return writeReturn(tx, row, { status, decidedAt: new Date() })
    })
    return json(toReturn(row), 200, { etag: etag(row.version) })
  },
)
