import { cancel, lockOrder, reservedBefore } from './store.ts'
import { reaction, type EventOf } from '../../events/reaction.ts'

export const abortOrder = reaction('abort-order', async (event, { once }) => {
  await once(async (tx) => {
    const row = await lockOrder(tx, event.data.orderId)
    const reason = reasonOf(event)
    const entry = { type: event.type, detail: reason, at: event.time, actor: event.actor }
    // if the payment could not be captured, the order is already shipped: recall the parcel
    const how = event.type === 'payment.capture-failed' ? 'recall' : 'cancel'
    const before = event.type === 'payment.declined' ? reservedBefore(row, event.time) : []
    await cancel(tx, row, how, reason, [...before, entry])
  })
})

function reasonOf(event: EventOf<'abort-order'>): string {
  if (event.type !== 'stock.rejected') return event.data.reason
  const short = event.data.shortages.map((s) => `${s.sku}: ${s.requested} wanted, ${s.available} there`)
  return `not enough stock (${short.join('; ')})`.slice(0, 500)
}
