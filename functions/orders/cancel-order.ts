import * as z from 'zod'
import { transaction } from '../shared/store/transaction.ts'
import { isStaff } from '../shared/auth/access-token.ts'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { IdParam, text } from '../shared/schemas/schemas.ts'
import { etag } from '../shared/http/entity-tag.ts'
import type { Tx } from '../shared/store/postgres.ts'
import { Order, toOrder, type OrderRow } from './order.ts'
import { piecesOf } from './pricing.ts'
import { cancel, keptOf, lockOrder, parcelsOf } from './store.ts'
import { problems } from './problems.ts'

const Cancellation = z
  .strictObject({ reason: text(200).default('cancelled by the customer') })
  .meta({ id: 'Cancellation' })

/** Cancels an order, or what staff have not shipped of it. */
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
      const cancelled =
        row.status === 'shipped' && isStaff(user)
          ? await cancelRest(tx, row, body.reason)
          : await cancel(tx, row, 'cancel', body.reason)
      if (cancelled !== undefined) return cancelled
      throw new Problem(problems['wrong-order-status'], {
        detail: `The order is ${row.status}: it can no longer be cancelled.`,
      })
    })
    return json(toOrder(row), 200, { etag: etag(row.version) })
  },
)

/**
 * Cancels what is left of an order of which some parcels were shipped, which the customer keeps. Returns undefined if
 * nothing is left.
 * @throws Problem 409 if it is not known yet whether each of them is paid
 */
async function cancelRest(tx: Tx, row: OrderRow, reason: string) {
  const parcels = await parcelsOf(tx, row.id)
  const kept = keptOf(parcels)
  const shipped = piecesOf(parcels.flatMap(({ items }) => items ?? []))
  // an order that is shipped as a whole has no parcels
  if (parcels.length === 0 || shipped >= piecesOf(row.lines)) return undefined
  if (kept.length < parcels.length)
    throw new Problem(problems['wrong-order-status'], {
      detail: 'The last parcel is being paid: cancel the rest in a moment.',
    })
  return cancel(tx, row, 'cancel-rest', reason, { kept })
}
