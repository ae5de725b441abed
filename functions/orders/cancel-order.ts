import * as z from 'zod'
import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { IdParam, text } from '../shared/schemas/schemas.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { Order, toOrder } from './order.ts'
import { cancel, lockOrder } from './store.ts'
import { problems } from './problems.ts'

const Cancellation = z
  .strictObject({ reason: text(200).default('cancelled by the customer') })
  .meta({ id: 'Cancellation' })

export const cancelOrder = operation(
  'cancel-order',
  {
    request: { params: IdParam, body: Cancellation },
    responses: { 200: Order },
    problems: ['not-found', problems['wrong-order-status']],
    headers: ['ETag'],
  },
  async ({ params, body, user, json }, { db }) => {
    const row = await transaction(db, async (tx) => {
      const row = await lockOrder(tx, params.id, user)
      // a repeated cancellation succeeds without another change
      if (row.status === 'cancelled') return row
      const cancelled = await cancel(tx, row, 'cancel', body.reason)
      if (cancelled !== undefined) return cancelled
      throw new Problem(problems['wrong-order-status'], {
        detail: `The order is ${row.status}: it can no longer be cancelled.`,
      })
    })
    return json(toOrder(row), 200, { etag: etag(row.version) })
  },
)
