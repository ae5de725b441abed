import { and, eq, sql } from 'drizzle-orm'
import { lockAccounts, writeAccounts } from './accounts.ts'
import { endBackorders } from './backorders.ts'
import { addMovements } from './movements.ts'
import { setLines } from './reservations.ts'
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
      .returning({
        orderId: reservations.orderId,
        lines: reservations.lines,
        backordered: reservations.backordered,
      })
      .prepare('commit_reservations')
      .execute()
    if (held.length === 0) return
    const accounts = await lockAccounts(
      tx,
      held.flatMap((one) => [...one.lines, ...(one.backordered ?? [])]),
    )
    const waited = held.filter(({ backordered }) => backordered !== null)
    const got = await endBackorders(
      tx,
      waited.map(({ orderId }) => orderId),
    )
    const allOf = ({ orderId, lines }: (typeof held)[number]) => ({
      orderId,
      lines: mergeLines([...lines, ...(got.get(orderId) ?? [])]),
    })
    const sold = held.map(allOf)
    const lines = mergeLines(sold.flatMap((one) => one.lines))
    await Promise.all([
      writeAccounts(tx, commit(accounts, lines)),
      setLines(tx, waited.map(allOf)),
      addMovements(tx, 'sold', sold),
      ...held.map(({ orderId }) => tx.emit('stock.committed', orderId, { orderId }, causes.get(orderId))),
    ])
  },
})
