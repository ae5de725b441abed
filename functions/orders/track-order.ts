import { next } from './order.ts'
import { lockOrders, trackedAsReserved, writeOrders } from './store.ts'
import { formatMoney } from '../shared/schemas/money.ts'
import { batchReaction } from '../../events/reaction.ts'

export const trackOrder = batchReaction('track-order', {
  write: async (tx, events) => {
    const ids = events.map(({ data }) => data.orderId)
    const rows = await lockOrders(tx, ids)
    const tracked = await trackedAsReserved(tx, ids)
    const changes = events.flatMap(({ type, data, time, actor }, i) => {
      const row = rows[i]!
      const isReserved = type === 'stock.reserved'
      if (isReserved && tracked.has(row.id)) return []
      const status = isReserved ? next(row.status, 'reserve') : undefined
      const detail = 'amount' in data ? formatMoney(data.amount) : undefined
      const change = status === undefined ? {} : { status }
      return [{ row, change, entries: [{ type, detail, at: time, actor }] }]
    })
    await writeOrders(tx, changes)
  },
})
