import { openAccount } from './accounts.ts'
import { reaction } from '../../events/reaction.ts'

export const openStock = reaction('open-stock', async ({ data }, { once }) => {
  await once((tx) => openAccount(tx, data.sku, data.sellerId))
})
