import { operation } from '../shared/http/operation.ts'
import { transaction } from '../shared/store/transaction.ts'
import { ParcelParam } from './parcel-param.ts'
import { problems } from './problems.ts'
import { next } from './shipment.ts'
import { advanceParcel, free, lockParcel, saveShipment } from './store.ts'

/** Unpacks a parcel that was not shipped: what is in it is left to pack again. */
export const unpackParcel = operation(
  'unpack-parcel',
  {
    request: { params: ParcelParam },
    responses: { 204: null },
    problems: ['not-found', problems['wrong-parcel-status']],
  },
  async ({ params, empty }, { db }) => {
    await transaction(db, async (tx) => {
      const { row, parcel } = await lockParcel(tx, params)
      // a repeated request succeeds without another change
      if (parcel.status === 'cancelled') return
      await advanceParcel(tx, parcel, 'unpack', { endedAt: new Date() })
      const status = next(row.status, 'unpack') ?? row.status
      await saveShipment(tx, row, { status, ...(status !== 'taken' && free) })
    })
    return empty()
  },
)
