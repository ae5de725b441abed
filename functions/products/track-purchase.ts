import { reaction } from '../../events/reaction.ts'

/** The events of an order may come in any order, and repeatedly. */
export const trackPurchase = reaction('track-purchase', async ({ type, data }, { purchases }) => {
  const _id = data.orderId
  switch (type) {
    case 'order.placed': {
      const { customerId, lines } = data
      const skus = [...new Set(lines.map(({ sku }) => sku))]
      await purchases.updateOne({ _id }, { $set: { customerId, skus } }, { upsert: true })
      break
    }
    case 'order.completed':
      await purchases.updateOne({ _id }, { $set: { isCompleted: true } }, { upsert: true })
      break
    case 'order.cancelled':
      await purchases.deleteOne({ _id })
  }
})
