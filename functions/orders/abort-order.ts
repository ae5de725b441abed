import { cancel, keptOf, lockOrder, parcelsOf, reservedBefore } from './store.ts'
import { reaction, type EventOf } from '../../events/reaction.ts'

export const abortOrder = reaction('abort-order', async (event, { once }) => {
  await once(async (tx) => {
    const row = await lockOrder(tx, event.data.orderId)
    const reason = reasonOf(event)
    const entry = { type: event.type, detail: reason, at: event.time, actor: event.actor }
    // If the payment could not be captured, the order is already shipped: recall the parcel. That the first parcel was
    // shipped may be heard later.
    const how = row.status === 'shipped' ? 'recall' : 'cancel'
    const before = event.type === 'payment.declined' ? reservedBefore(row, event.time) : []
    const kept = event.type === 'payment.capture-failed' ? keptOf(await parcelsOf(tx, row.id)) : []
    await cancel(tx, row, how, reason, { entries: [...before, entry], kept })
  })
})

function reasonOf(event: EventOf<'abort-order'>): string {
  if (event.type !== 'stock.rejected') return event.data.reason
  const short = event.data.shortages.map((s) => `${s.sku}: ${s.requested} wanted, ${s.available} there`)
  return `not enough stock (${short.join('; ')})`.slice(0, 500)
}
