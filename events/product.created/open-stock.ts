import { openAccount } from '../../functions/stock/accounts.ts'
import { reaction } from '../reaction.ts'

export const openStock = reaction('open-stock', async ({ data }, { once }) => {
  await once((tx) => openAccount(tx, data.sku, data.sellerId))
})
