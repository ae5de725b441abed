import { checkPaid } from './order.ts'
import { advance, lockOrder } from './store.ts'
import { reaction } from '../../events/reaction.ts'

export const completeOrder = reaction('complete-order', async ({ data, type, time, actor }, { once }) => {
  await once(async (tx) => {
    const row = await lockOrder(tx, data.orderId)
    checkPaid(row, data.amount)
    const completed = { type: 'order.completed', data: { orderId: row.id } } as const
    await advance(tx, row, 'complete', completed, [{ type, at: time, actor }])
  })
})
