import { batchReaction } from '../../events/reaction.ts'
import { settle } from './store.ts'

export const expireRedemption = batchReaction('expire-redemption', {
  write: async (tx, events) => {
    await settle(
      tx,
      events.map(({ data }) => ({ orderId: data.orderId, event: 'expire' })),
    )
  },
})
