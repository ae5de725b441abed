import type { Tx } from '../shared/store/postgres.ts'
import type { KnownShipment, ParcelRow } from './shipment.ts'
import { advanceParcel, isDeleted, saveShipment } from './store.ts'

/**
 * Ends the way of a parcel of a locked shipment, whose version is that of its parcels, too. If the customer is deleted, it
 * can no longer be tracked then.
 */
export async function endParcel(
  tx: Tx,
  row: KnownShipment,
  parcel: ParcelRow,
  event: 'deliver' | 'fail',
  change: Partial<ParcelRow> = {},
): Promise<ParcelRow> {
  const forgotten = (await isDeleted(tx, row.customerId)) ? { trackingNumber: null } : {}
  const ended = await advanceParcel(tx, parcel, event, { ...change, ...forgotten, endedAt: new Date() })
  await saveShipment(tx, row, {})
  return ended
}
