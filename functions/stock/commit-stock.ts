import { and, eq, sql } from 'drizzle-orm'
import { lockAccounts, writeAccounts } from './accounts.ts'
import { addMovements } from './movements.ts'
import { commit, reservations } from './stock.ts'
import { reaction } from '../../events/reaction.ts'

export const commitStock = reaction('commit-stock', async ({ data: { orderId } }, { once }) => {
  await once(async (tx) => {
    const [held] = await tx
      .update(reservations)
      .set({ state: 'committed', at: sql`now()` })
      .where(and(eq(reservations.orderId, orderId), eq(reservations.state, 'reserved')))
      .returning({ lines: reservations.lines })
    if (held === undefined) return
    const accounts = await lockAccounts(tx, held.lines)
    await Promise.all([
      writeAccounts(tx, commit(accounts, held.lines)),
      addMovements(tx, 'sold', [{ orderId, lines: held.lines }]),
      tx.emit('stock.committed', orderId, { orderId }),
    ])
  })
})
