import { batchReaction } from '../../events/reaction.ts'
import { settle } from './store.ts'

export const settleRedemptions = batchReaction('settle-redemptions', {
  write: async (tx, events) => {
    await settle(
      tx,
      events.map(({ type, data }) => ({
        orderId: data.orderId,
        event: type === 'order.discounted' ? 'place' : 'cancel',
      })),
    )
  },
})
