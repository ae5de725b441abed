import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { transaction } from '../shared/store/transaction.ts'
import { shipmentAnswer } from './answer.ts'
import { holdFor } from './hold.ts'
import { problems } from './problems.ts'
import { holderOf, next, Shipment } from './shipment.ts'
import { lockShipment } from './store.ts'

/** Takes a shipment for half an hour, or for another half if the worker has it already. */
export const takeShipment = operation(
  'take-shipment',
  {
    request: { params: IdParam },
    responses: { 200: Shipment },
    problems: ['not-found', problems['wrong-shipment-status'], problems['shipment-taken']],
    headers: ['ETag'],
  },
  async ({ params, user, json }, { db, takenMs }) => {
    const row = await transaction(db, async (tx) => {
      const row = await lockShipment(tx, params.id)
      const holder = holderOf(row, new Date())
      if (holder !== undefined && holder !== user.id)
        throw new Problem(problems['shipment-taken'], {
          detail: `Somebody else packs it until ${row.takenUntil!.toISOString()}, if they do not leave it before.`,
        })
      if (next(row.status, 'take') === undefined)
        throw new Problem(problems['wrong-shipment-status'], {
          detail: `It is ${row.status}: only what waits can be taken.`,
        })
      return holdFor(tx, row, user.id, takenMs)
    })
    const { shipment, headers } = await shipmentAnswer(db, row, user)
    return json(shipment, 200, headers)
  },
)
