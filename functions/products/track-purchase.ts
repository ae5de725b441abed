import type { AnyBulkWriteOperation } from 'mongodb'
import { batchReaction, type EventOf } from '../../events/reaction.ts'
import type { Purchase } from './purchases.ts'

/** The events of an order may come in any order, and repeatedly. */
export const trackPurchase = batchReaction('track-purchase', {
  write: async ({ purchases }, events) => {
    await purchases.bulkWrite(events.map(changeBy), { ordered: false })
  },
})

/** Returns what an event changes. */
function changeBy({ type, data }: EventOf<'track-purchase'>): AnyBulkWriteOperation<Purchase> {
  const filter = { _id: data.orderId }
  switch (type) {
    case 'order.placed': {
      // that something was left out may be heard first
      const skus = { $cond: ['$isReduced', '$skus', { $literal: skusOf(data) }] }
      const update = [{ $set: { customerId: { $literal: data.customerId }, skus } }]
      return { updateOne: { filter, update, upsert: true } }
    }
    case 'order.reduced': {
      const told = { customerId: data.customerId, skus: skusOf(data), isReduced: true }
      return { updateOne: { filter, update: { $set: told }, upsert: true } }
    }
    case 'order.completed':
      return { updateOne: { filter, update: { $set: { isCompleted: true } }, upsert: true } }
    default:
      return { deleteOne: { filter } }
  }
}

const skusOf = ({ lines }: { lines: readonly { sku: string }[] }) => [...new Set(lines.map(({ sku }) => sku))]
