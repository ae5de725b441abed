import { eq, sql } from 'drizzle-orm'
import { lockAccounts, saveAccounts } from './accounts.ts'
import { addMovements } from './movements.ts'
import { release, reservations } from './stock.ts'
import { reaction } from '../../events/reaction.ts'

export const releaseStock = reaction('release-stock', async ({ data: { orderId } }, { once, lowAt }) => {
  await once(async (tx) => {
    // if the order is cancelled before its stock is reserved, this row prevents a later reservation
    const [held] = await tx
      .insert(reservations)
      .values({ orderId, state: 'released', lines: [] })
      .onConflictDoUpdate({
        target: reservations.orderId,
        set: { state: 'released', at: sql`now()` },
        setWhere: eq(reservations.state, 'reserved'),
      })
      .returning({ lines: reservations.lines })
    if (held === undefined || held.lines.length === 0) return
    const accounts = await lockAccounts(tx, held.lines)
    await Promise.all([
      saveAccounts(tx, release(accounts, held.lines), lowAt),
      addMovements(tx, 'released', [{ orderId, lines: held.lines }]),
      tx.emit('stock.released', orderId, { orderId }),
    ])
  })
})
