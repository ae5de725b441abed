import { checkPaid } from './order.ts'
import { advance, lockOrder } from './store.ts'
import { reaction } from '../../events/reaction.ts'

export const confirmOrder = reaction('confirm-order', async ({ data, type, time, actor }, { once }) => {
  await once(async (tx) => {
    const row = await lockOrder(tx, data.orderId)
    checkPaid(row, data.amount)
    const confirmed = { type: 'order.confirmed', data: { orderId: row.id } } as const
    // does nothing if the order was cancelled meanwhile: `order.cancelled` voids the payment
    await advance(tx, row, 'confirm', confirmed, [{ type, at: time, actor }])
  })
})
