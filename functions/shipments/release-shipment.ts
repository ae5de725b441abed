import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { transaction } from '../shared/store/transaction.ts'
import { free, lockShipment, saveShipment } from './store.ts'

/** Leaves a shipment to somebody else. Does nothing if the caller does not have it. */
export const releaseShipment = operation(
  'release-shipment',
  { request: { params: IdParam }, responses: { 204: null }, problems: ['not-found'] },
  async ({ params, user, empty }, { db }) => {
    await transaction(db, async (tx) => {
      const row = await lockShipment(tx, params.id)
      if (row.status === 'taken' && row.workerId === user.id)
        await saveShipment(tx, row, { status: 'waiting', ...free })
    })
    return empty()
  },
)
