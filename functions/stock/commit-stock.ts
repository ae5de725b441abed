import { and, eq, sql } from 'drizzle-orm'
import { lockAccounts, writeAccounts } from './accounts.ts'
import { addMovements } from './movements.ts'
import { commit, mergeLines, reservations } from './stock.ts'
import { isAmong } from '../shared/store/postgres.ts'
import { batchReaction } from '../../events/reaction.ts'

export const commitStock = batchReaction('commit-stock', {
  write: async (tx, events) => {
    const causes = new Map(
      events.map(({ data, traceparent }) => [data.orderId, { causedBy: { traceparent } }]),
    )
    const held = await tx
      .update(reservations)
      .set({ state: 'committed', at: sql`now()` })
      .where(and(isAmong(reservations.orderId, [...causes.keys()]), eq(reservations.state, 'reserved')))
      .returning({ orderId: reservations.orderId, lines: reservations.lines })
      .prepare('commit_reservations')
      .execute()
    if (held.length === 0) return
    const lines = mergeLines(held.flatMap((one) => one.lines))
    const accounts = await lockAccounts(tx, lines)
    await Promise.all([
      writeAccounts(tx, commit(accounts, lines)),
      addMovements(tx, 'sold', held),
      ...held.map(({ orderId }) => tx.emit('stock.committed', orderId, { orderId }, causes.get(orderId))),
    ])
  },
})
