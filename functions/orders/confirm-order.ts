import { checkPaid, type OrderRow } from './order.ts'
import { advanceAll, lockOrders, reservedBefore } from './store.ts'
import { batchReaction } from '../../events/reaction.ts'

export const confirmOrder = batchReaction('confirm-order', {
  write: async (tx, events) => {
    const rows = await lockOrders(
      tx,
      events.map(({ data }) => data.orderId),
    )
    const steps = events.map(({ data, type, time, actor, traceparent }, i) => {
      const row = rows[i]!
      checkPaid(row, data.amount)
      return {
        row,
        event: 'confirm' as const,
        emits: { type: 'order.confirmed' as const, data: { orderId: row.id, ...reducedTo(row) } },
        entries: [...reservedBefore(row, time), { type, at: time, actor }],
        causedBy: { traceparent },
      }
    })
    // does nothing if the order was cancelled meanwhile: `order.cancelled` voids the payment
    await advanceAll(tx, steps)
  },
})

/** Says what an order costs of which something was left out, so that nobody takes what was placed for it. */
const reducedTo = ({ shortage, totalAmount: amount, currency }: OrderRow) =>
  shortage?.state === 'dropped' ? { reducedTo: { amount, currency } } : {}
