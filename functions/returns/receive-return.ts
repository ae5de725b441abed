import { etag } from '../shared/http/entity-tag.ts'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { transaction } from '../shared/store/transaction.ts'
import { receive, refundOf } from './pieces.ts'
import { problems } from './problems.ts'
import { NewReceipt, Return, toReturn } from './return.ts'
import { lockReturn, returnsOf, statusAfter, told, writeReturn } from './store.ts'

/** Says what came back. Payments refund what it cost, and stock restocks it. */
export const receiveReturn = operation(
  'receive-return',
  {
    request: { params: IdParam, body: NewReceipt },
    responses: { 200: Return },
    problems: ['not-found', problems['wrong-return-status'], problems['more-than-announced']],
    headers: ['ETag'],
  },
  async ({ params, body, json }, { db }) => {
    const row = await transaction(db, async (tx) => {
      const { row, purchase } = await lockReturn(tx, params.id)
      // a repeated request succeeds without another change, and nothing is refunded again
      if (row.status === 'received') return row
      const status = statusAfter(row, 'receive')
      const others = await returnsOf(tx, row.orderId, row.id)
      const items = receive(body, row, purchase.lines ?? [], others)
      if ('index' in items) throw moreThanAnnounced(items)
      const refundAmount = refundOf(items)
      const refund = { amount: refundAmount, currency: row.currency }
      await tx.emit('return.received', row.orderId, { ...told(row), items, refund })
      return writeReturn(tx, row, { status, received: items, refundAmount, receivedAt: new Date() })
    })
    return json(toReturn(row), 200, { etag: etag(row.version) })
  },
)

function moreThanAnnounced({ index, sku, announced }: { index: number; sku: string; announced: number }) {
  const detail = `The customer has announced ${announced} of ${sku}.`
  return new Problem(problems['more-than-announced'], {
    detail,
    errors: [{ pointer: `/body/items/${index}/quantity`, detail }],
  })
}
