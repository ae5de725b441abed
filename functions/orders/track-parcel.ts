import { reaction, type EventOf } from '../../events/reaction.ts'
import { leaveBillOfParcel } from './bill.ts'
import { advance, keepParcel, lockOrder, writeOrder } from './store.ts'

/**
 * Ships the order with its first parcel, and keeps what was shipped of it. Only orders that are confirmed are packed, so
 * one that is cancelled by now was so meanwhile: its parcel is recalled.
 */
export const trackParcel = reaction('track-parcel', async (event, { once }) => {
  const { data, type, time, actor } = event
  await once(async (tx) => {
    const row = await lockOrder(tx, data.orderId)
    if (event.type === 'parcel.shipped') {
      const items = event.data.items.map(({ sku, quantity }) => ({ sku, quantity }))
      await keepParcel(tx, { id: data.parcelId, orderId: row.id, items })
      await leaveBillOfParcel(tx, row, event.data, time)
    }
    const entry = { type, detail: detailOf(event), at: time, actor }
    const shipped = type === 'parcel.shipped' ? await advance(tx, row, 'ship', undefined, [entry]) : undefined
    if (shipped === undefined) await writeOrder(tx, row, {}, [entry])
  })
})

function detailOf({ type, data }: EventOf<'track-parcel'>): string {
  const parcel = `parcel ${data.number}`
  if (type === 'parcel.shipped') return `${parcel}: ${data.carrier} ${data.trackingNumber}`
  return type === 'parcel.failed' ? `${parcel}: ${data.reason}` : parcel
}
