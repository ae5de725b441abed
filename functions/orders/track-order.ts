import { next } from './order.ts'
import { lockOrders, writeOrders } from './store.ts'
import { formatMoney } from '../shared/schemas/money.ts'
import { batchReaction } from '../../events/reaction.ts'

export const trackOrder = batchReaction('track-order', {
  write: async (tx, events) => {
    const rows = await lockOrders(
      tx,
      events.map(({ data }) => data.orderId),
    )
    const changes = events.map(({ type, data, time, actor }, i) => {
      const row = rows[i]!
      const status = type === 'stock.reserved' ? next(row.status, 'reserve') : undefined
      const detail = 'amount' in data ? formatMoney(data.amount) : undefined
      return {
        row,
        change: status === undefined ? {} : { status },
        entries: [{ type, detail, at: time, actor }],
      }
    })
    await writeOrders(tx, changes)
  },
})
