import { operation } from '../shared/http/operation.ts'
import { transaction } from '../shared/store/transaction.ts'
import { endParcel } from './end-parcel.ts'
import { ParcelParam } from './parcel-param.ts'
import { problems } from './problems.ts'
import { Failure, Parcel, toParcel } from './shipment.ts'
import { lockParcel, ofParcel } from './store.ts'

/** Notes that a parcel did not reach its customer. It moves no money: staff refund it, or the customer returns it. */
export const failParcel = operation(
  'fail-parcel',
  {
    request: { params: ParcelParam, body: Failure },
    responses: { 200: Parcel },
    problems: ['not-found', problems['wrong-parcel-status']],
  },
  async ({ params, body: { reason }, json }, { db }) => {
    const failed = await transaction(db, async (tx) => {
      const { row, parcel } = await lockParcel(tx, params)
      // a repeated request succeeds without another change
      if (parcel.status === 'failed' && parcel.failure === reason) return parcel
      const failed = await endParcel(tx, row, parcel, 'fail', { failure: reason })
      await tx.emit('parcel.failed', row.id, { ...ofParcel(row, failed), reason })
      return failed
    })
    return json(toParcel(failed), 200)
  },
)
