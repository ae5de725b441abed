import { and, eq } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { lockAccounts, saveAccounts } from './accounts.ts'
import { addBackorder, fillBackorders } from './backorders.ts'
import { mergeLines, reservations } from './stock.ts'

/** Lets an order wait for what is missing. What has come meanwhile, it gets at once. */
export const backorderStock = reaction('backorder-stock', async ({ data }, { once, lowAt }) => {
  const { orderId, customerId, total } = data
  const missing = mergeLines(data.missing)
  await once(async (tx) => {
    const [held] = await tx
      .update(reservations)
      .set({ backordered: missing })
      .where(and(eq(reservations.orderId, orderId), eq(reservations.state, 'reserved')))
      .returning({ orderId: reservations.orderId })
    // it is cancelled already
    if (held === undefined) return
    const accounts = await lockAccounts(tx, missing)
    await addBackorder(tx, { orderId, customerId, total }, missing)
    const filled = await fillBackorders(tx, accounts)
    await saveAccounts(tx, filled, lowAt)
  })
})
