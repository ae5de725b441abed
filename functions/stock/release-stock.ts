import { lockAccounts, saveAccounts } from './accounts.ts'
import { addMovements } from './movements.ts'
import { releaseReservations } from './reservations.ts'
import { mergeLines, release } from './stock.ts'
import { batchReaction } from '../../events/reaction.ts'

export const releaseStock = batchReaction('release-stock', {
  prepare: (_, { lowAt }) => lowAt,
  write: async (tx, events, [lowAt]) => {
    const causes = new Map(
      events.map(({ data, traceparent }) => [data.orderId, { causedBy: { traceparent } }]),
    )
    const held = await releaseReservations(tx, [...causes.keys()])
    if (held.length === 0) return
    const lines = mergeLines(held.flatMap((one) => one.lines))
    const accounts = await lockAccounts(tx, lines)
    const causeOf = (sku: string) =>
      causes.get(held.find((one) => one.lines.some((line) => line.sku === sku))!.orderId)!
    await Promise.all([
      saveAccounts(tx, release(accounts, lines), lowAt!, causeOf),
      addMovements(tx, 'released', held),
      ...held.map(({ orderId }) => tx.emit('stock.released', orderId, { orderId }, causes.get(orderId))),
    ])
  },
})
