import { reaction } from '../../events/reaction.ts'
import { missedBy } from './order.ts'
import { cancel, lockOrder } from './store.ts'

export const expireOrder = reaction('expire-order', async ({ data }, { once }) => {
  await once(async (tx) => {
    const row = await lockOrder(tx, data.orderId)
    const reason = missedBy(row.status, data.milestone)
    if (reason !== undefined) await cancel(tx, row, 'expire', reason)
  })
})
