import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { transaction } from '../shared/store/transaction.ts'
import { ParcelParam } from './parcel-param.ts'
import { isOut } from './parcel.ts'
import { partOf } from './parts.ts'
import { problems } from './problems.ts'
import {
  Dispatch,
  isAll,
  packedOf,
  Parcel,
  toParcel,
  type KnownShipment,
  type ParcelRow,
} from './shipment.ts'
import { advanceParcel, free, lockParcel, ofParcel, parcelsOf, saveShipment } from './store.ts'

/** Hands a parcel to its carrier. What is paid for it is captured then. */
export const shipParcel = operation(
  'ship-parcel',
  {
    request: { params: ParcelParam, body: Dispatch },
    responses: { 200: Parcel },
    problems: ['not-found', problems['wrong-parcel-status']],
  },
  async ({ params, body, json }, { db }) => {
    const shipped = await transaction(db, async (tx) => {
      const { row, parcel } = await lockParcel(tx, params)
      const { carrier, trackingNumber } = body
      if (isOut(parcel.status)) {
        // a repeated request succeeds without another change
        if (parcel.carrier === carrier && parcel.trackingNumber === trackingNumber) return parcel
        throw new Problem(problems['wrong-parcel-status'], {
          detail: `It was shipped already, by ${parcel.carrier}.`,
        })
      }
      const others = (await parcelsOf(tx, [row.id])).filter(({ status }) => isOut(status))
      const contents = contentsOf(row, parcel, others)
      const sent = await advanceParcel(tx, parcel, 'ship', {
        ...contents,
        carrier,
        trackingNumber,
        shippedAt: new Date(),
      })
      const { number } = contents
      await saveShipment(tx, row, {
        shippedParcels: number,
        ...(contents.isLast && { status: 'shipped', ...free }),
      })
      await tx.emit('parcel.shipped', row.id, {
        ...ofParcel(row, sent),
        items: contents.items,
        shipping: contents.shipping,
        amount: { amount: contents.amount, currency: row.currency },
        last: contents.isLast,
        carrier,
        trackingNumber,
      })
      return sent
    })
    return json(toParcel(shipped), 200)
  },
)

/**
 * Returns what is known of a parcel once it is shipped: its number, and what the customer pays for it.
 * @param before the parcels of the order that were shipped before
 */
function contentsOf(
  { lines, shipping, shippedParcels }: KnownShipment,
  parcel: ParcelRow,
  before: readonly ParcelRow[],
) {
  const shipped = packedOf(before)
  const items = parcel.packed.map(({ line, sku, quantity }) => ({
    sku,
    quantity,
    ...partOf(lines[line]!, shipped.get(line) ?? 0, quantity),
  }))
  const isFirst = shippedParcels === 0
  const gross = items.reduce((sum, item) => sum + item.gross, 0)
  return {
    number: shippedParcels + 1,
    items,
    shipping: isFirst ? shipping : null,
    amount: gross + (isFirst ? (shipping?.gross ?? 0) : 0),
    isLast: isAll(lines, packedOf([...before, parcel])),
  }
}
