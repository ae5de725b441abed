import * as z from 'zod'
import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { IdParam, text } from '../shared/schemas/schemas.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { Order, toOrder } from './order.ts'
import { leaveBill } from './bill.ts'
import { advance, lockOrder, parcelsOf } from './store.ts'
import { problems } from './problems.ts'

const Shipment = z
  .strictObject({ carrier: text(100).optional(), trackingCode: text(100).optional() })
  .meta({ id: 'Shipment' })

export const shipOrder = operation(
  'ship-order',
  {
    request: { params: IdParam, body: Shipment },
    responses: { 200: Order },
    problems: ['not-found', problems['wrong-order-status']],
    headers: ['ETag'],
  },
  async ({ params, body, json }, { db }) => {
    const detail = [body.carrier, body.trackingCode].filter(Boolean).join(' ') || undefined
    const row = await transaction(db, async (tx) => {
      const row = await lockOrder(tx, params.id)
      if ((await parcelsOf(tx, row.id)).length > 0)
        throw new Problem(problems['wrong-order-status'], {
          detail: 'Some of the order was shipped in a parcel: ship the rest in parcels, too.',
        })
      // a repeated request succeeds without another change; the payment may have been captured meanwhile
      if (row.status === 'shipped' || row.status === 'completed') return row
      const event = { type: 'order.shipped', data: { orderId: row.id }, detail } as const
      const shipped = await advance(tx, row, 'ship', event, [])
      if (shipped !== undefined) {
        await leaveBill(tx, shipped)
        return shipped
      }
      throw new Problem(problems['wrong-order-status'], {
        detail: `The order is ${row.status}: only a confirmed order can be shipped.`,
      })
    })
    return json(toOrder(row), 200, { etag: etag(row.version) })
  },
)
