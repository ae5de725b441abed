import { eq } from 'drizzle-orm'
import { lockAccounts, saveAccounts } from './accounts.ts'
import { mergeLines, reservations, reserve } from './stock.ts'
import { reaction } from '../../events/reaction.ts'

export const reserveStock = reaction('reserve-stock', async ({ data }, { once }) => {
  const { orderId, lines: wanted, ...order } = data
  const lines = mergeLines(wanted)
  await once(async (tx) => {
    // the two statements of each Promise.all are pipelined
    const [first, held] = await Promise.all([
      tx
        .insert(reservations)
        .values({ orderId, state: 'reserved', lines })
        .onConflictDoNothing()
        .prepare('add-reservation')
        .execute(),
      lockAccounts(tx, lines),
    ])
    // the order is already cancelled, or already has a reservation
    if (first.count === 0) return
    const { accounts, shortages } = reserve(held, lines)
    if (shortages.length === 0)
      await Promise.all([
        saveAccounts(tx, accounts),
        tx.emit('stock.reserved', orderId, { orderId, ...order }),
      ])
    else
      await Promise.all([
        tx
          .update(reservations)
          .set({ state: 'released', lines: [] })
          .where(eq(reservations.orderId, orderId)),
        tx.emit('stock.rejected', orderId, { orderId, shortages }),
      ])
  })
})
