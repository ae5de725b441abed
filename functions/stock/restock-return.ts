import { eq } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import { Unavailable } from '../shared/store/store-errors.ts'
import { lockAccounts, saveAccounts } from './accounts.ts'
import { fillBackorders } from './backorders.ts'
import { addMovements } from './movements.ts'
import { mergeLines, reservations, restock } from './stock.ts'

/** Makes what came back available again, unless it is written off: then it stays sold. */
export const restockReturn = reaction(
  'restock-return',
  async ({ data: { orderId, items } }, { once, lowAt }) => {
    const lines = mergeLines(
      items.flatMap(({ sku, quantity, restock: isGood }) => (isGood ? [{ sku, quantity }] : [])),
    )
    await once(async (tx) => {
      if (lines.length === 0) return
      const [held] = await tx
        .select({ state: reservations.state })
        .from(reservations)
        .where(eq(reservations.orderId, orderId))
        .for('update')
      // whichever comes next, its stock is sold or released then
      if (held?.state === 'reserved') throw new Unavailable(`order ${orderId} is not completed yet`)
      if (held?.state !== 'committed') return
      const accounts = restock(await lockAccounts(tx, lines), lines)
      const filled = await fillBackorders(tx, accounts)
      await Promise.all([saveAccounts(tx, filled, lowAt), addMovements(tx, 'returned', [{ orderId, lines }])])
    })
  },
)
