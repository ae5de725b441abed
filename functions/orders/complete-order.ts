import { checkPaid } from './order.ts'
import { advanceAll, lockOrders } from './store.ts'
import { batchReaction } from '../../events/reaction.ts'

export const completeOrder = batchReaction('complete-order', {
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
        event: 'complete' as const,
        emits: { type: 'order.completed' as const, data: { orderId: row.id } },
        entries: [{ type, at: time, actor }],
        causedBy: { traceparent },
      }
    })
    await advanceAll(tx, steps)
  },
})
