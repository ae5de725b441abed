import { batchReaction } from '../../events/reaction.ts'
import { queueWebhooks, sellersOf } from './webhook-store.ts'

export const notifySeller = batchReaction('notify-seller', {
  write: async (tx, events) => {
    const sellers = await sellersOf(
      tx,
      events.map(({ data }) => data.sku),
    )
    await queueWebhooks(
      tx,
      events.flatMap(({ id: eventId, type, time: at, data, traceparent }) => {
        const sellerId = sellers.get(data.sku)
        return sellerId === undefined
          ? []
          : [{ sellerId, eventId, type, at, data, from: { causedBy: { traceparent } } }]
      }),
    )
  },
})
