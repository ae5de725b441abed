import { next } from './order.ts'
import { lockOrders, trackedAsReserved, writeOrders } from './store.ts'
import { formatMoney } from '../shared/schemas/money.ts'
import { batchReaction, type EventOf } from '../../events/reaction.ts'

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
      const detail = detailOf(data)
      const change = status === undefined ? {} : { status }
      return [{ row, change, entries: [{ type, detail, at: time, actor }] }]
    })
    await writeOrders(tx, changes)
  },
})

/** Returns how much an event is about, and the number of what was issued. */
function detailOf(data: EventOf<'track-order'>['data']): string | undefined {
  if ('refund' in data) return formatMoney(data.refund)
  if (!('amount' in data)) return undefined
  return 'number' in data ? `${data.number}, ${formatMoney(data.amount)}` : formatMoney(data.amount)
}
