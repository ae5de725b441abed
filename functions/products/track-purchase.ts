import { reaction } from '../../events/reaction.ts'

/** The events of an order may come in any order, and repeatedly. */
export const trackPurchase = reaction('track-purchase', async ({ type, data }, { purchases }) => {
  const _id = data.orderId
  switch (type) {
    case 'order.placed': {
      const { customerId } = data
      // that something was left out may be heard first
      const reduced = await purchases.updateOne({ _id, isReduced: true }, { $set: { customerId } })
      if (reduced.matchedCount === 0)
        await purchases.updateOne(
          { _id, isReduced: { $ne: true } },
          { $set: { customerId, skus: skusOf(data) } },
          { upsert: true },
        )
      break
    }
    case 'order.reduced': {
      const { customerId } = data
      const told = { customerId, skus: skusOf(data), isReduced: true }
      await purchases.updateOne({ _id }, { $set: told }, { upsert: true })
      break
    }
    case 'order.completed':
      await purchases.updateOne({ _id }, { $set: { isCompleted: true } }, { upsert: true })
      break
    case 'order.cancelled':
      await purchases.deleteOne({ _id })
  }
})

const skusOf = ({ lines }: { lines: readonly { sku: string }[] }) => [...new Set(lines.map(({ sku }) => sku))]
