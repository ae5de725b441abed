import { operation } from '../shared/http/operation.ts'
import { transaction } from '../shared/store/transaction.ts'
import { endParcel } from './end-parcel.ts'
import { ParcelParam } from './parcel-param.ts'
import { problems } from './problems.ts'
import { Parcel, toParcel } from './shipment.ts'
import { lockParcel, ofParcel } from './store.ts'

export const deliverParcel = operation(
  'deliver-parcel',
  {
    request: { params: ParcelParam },
    responses: { 200: Parcel },
    problems: ['not-found', problems['wrong-parcel-status']],
  },
  async ({ params, json }, { db }) => {
    const delivered = await transaction(db, async (tx) => {
      const { row, parcel } = await lockParcel(tx, params)
      // a repeated request succeeds without another change
      if (parcel.status === 'delivered') return parcel
      const delivered = await endParcel(tx, row, parcel, 'deliver')
      await tx.emit('parcel.delivered', row.id, ofParcel(row, delivered))
      return delivered
    })
    return json(toParcel(delivered), 200)
  },
)
