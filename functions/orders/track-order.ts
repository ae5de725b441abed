import { next, type OrderRow } from './order.ts'
import type { Shortage } from './shortage.ts'
import { waitFor } from './shortages.ts'
import { lockOrders, trackedAsReserved, writeOrders } from './store.ts'
import { formatMoney } from '../shared/schemas/money.ts'
import type { Tx } from '../shared/store/postgres.ts'
import { batchReaction, type EventOf } from '../../events/reaction.ts'

export const trackOrder = batchReaction('track-order', {
  prepare: (_, { deadlineMs }) => deadlineMs,
  write: async (tx, events, [deadlineMs]) => {
    const ids = events.map(({ data }) => data.orderId)
    const rows = await lockOrders(tx, ids)
    const tracked = await trackedAsReserved(tx, ids)
    const given = await timeToPay(
      tx,
      rows.filter((_, i) => events[i]!.type === 'stock.reserved'),
      deadlineMs!,
    )
    const changes = events.flatMap(({ type, data, time, actor }, i) => {
      const row = rows[i]!
      const isReserved = type === 'stock.reserved'
      if (isReserved && tracked.has(row.id)) return []
      const status = isReserved ? next(row.status, 'reserve') : undefined
      const detail = detailOf(data)
      const change = status === undefined ? {} : { status, ...given.get(row.id) }
      return [{ row, change, entries: [{ type, detail, at: time, actor }] }]
    })
    await writeOrders(tx, changes)
  },
})

/** Gives orders that have waited for their stock the usual time for their payment. Returns how long they may wait now. */
async function timeToPay(tx: Tx, rows: readonly OrderRow[], deadlineMs: number) {
  const given = new Map<string, { shortage: Shortage }>()
  for (const row of rows)
    if (row.status === 'placed' && row.shortage !== null)
      given.set(row.id, { shortage: await waitFor(tx, row, row.shortage, deadlineMs) })
  return given
}

/** Returns how much an event is about, and the number of what was issued. */
function detailOf(data: EventOf<'track-order'>['data']): string | undefined {
  if ('refund' in data) return formatMoney(data.refund)
  if (!('amount' in data)) return undefined
  return 'number' in data ? `${data.number}, ${formatMoney(data.amount)}` : formatMoney(data.amount)
}
