import { openAccounts } from './accounts.ts'
import { batchReaction } from '../../events/reaction.ts'

export const openStock = batchReaction('open-stock', {
  write: (tx, events) =>
    openAccounts(
      tx,
      events.map(({ data: { sku, sellerId } }) => ({ sku, sellerId })),
    ),
})
