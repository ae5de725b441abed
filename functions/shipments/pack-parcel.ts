import { uuidv7 } from 'uuidv7'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { once } from '../shared/store/transaction.ts'
import { checkHeld, holdFor } from './hold.ts'
import { problems } from './problems.ts'
import {
  idempotencyKeys,
  isAll,
  NewParcel,
  pack,
  packedOf,
  Parcel,
  parcels,
  toParcel,
  type NotLeft,
} from './shipment.ts'
import { free, lockShipment, parcelsOf, saveShipment } from './store.ts'

/** Packs some of what is left of an order into a parcel. Whoever packs has another half an hour for the rest. */
export const packParcel = operation(
  'pack-parcel',
  {
    request: { params: IdParam, body: NewParcel },
    responses: { 201: Parcel },
    problems: ['not-found', problems['shipment-not-taken'], problems['not-left-to-pack']],
    headers: ['Location'],
  },
  async ({ params: { id }, body, user, key, json }, { db, takenMs }) =>
    once(db, idempotencyKeys, key, async (tx) => {
      const row = await lockShipment(tx, id)
      checkHeld(row, user.id)
      const before = await parcelsOf(tx, [id])
      const packed = pack(row.lines, packedOf(before), body.items)
      if ('left' in packed) throw notLeft(packed)
      const [parcel] = await tx
        .insert(parcels)
        .values({ id: uuidv7(), shipmentId: id, status: 'packed', packed })
        .returning()
      await (isAll(row.lines, packedOf([...before, parcel!]))
        ? saveShipment(tx, row, { status: 'packed', ...free })
        : holdFor(tx, row, user.id, takenMs))
      return json(toParcel(parcel!), 201, { location: `/api/v1/shipments/${id}` })
    }),
)

function notLeft({ index, sku, left }: NotLeft) {
  return new Problem(problems['not-left-to-pack'], {
    detail: `Left to pack of ${sku} in this order: ${left}.`,
    errors: [{ pointer: `/body/items/${index}/quantity`, detail: `at most ${left}` }],
  })
}
