import { checkPaid, type OrderRow } from './order.ts'
import { advance, keepParcel, lockOrder, writeOrder, type Entry } from './store.ts'
import { reaction } from '../../events/reaction.ts'
import { formatMoney } from '../shared/schemas/money.ts'
import type { Tx } from '../shared/store/postgres.ts'

export const completeOrder = reaction('complete-order', async ({ data, type, time, actor }, { once }) => {
  await once(async (tx) => {
    const { orderId, parcelId, amount, captured = amount } = data
    const row = await lockOrder(tx, orderId)
    const detail = parcelId === undefined ? undefined : formatMoney(amount)
    const entry = { type, detail, at: time, actor }
    if (parcelId !== undefined) await keepParcel(tx, { id: parcelId, orderId, isCaptured: true })
    const isPart = captured.amount < row.totalAmount && parcelId !== undefined
    if (isPart) {
      await writeOrder(tx, row, {}, [entry])
      return
    }
    checkPaid(row, captured)
    await complete(tx, row, entry)
  })
})

/** Completes a locked order. What is paid was shipped, even if track-parcel has not heard of it yet. */
async function complete(tx: Tx, row: OrderRow, entry: Entry) {
  const completed = { type: 'order.completed', data: { orderId: row.id } } as const
  const shipped = row.status === 'confirmed' ? await advance(tx, row, 'ship', undefined, []) : row
  await advance(tx, shipped ?? row, 'complete', completed, [entry])
}
