import { reaction } from '../../events/reaction.ts'
import { missedBy } from './order.ts'
import { timeOf } from './shortages.ts'
import { cancel, lockOrder } from './store.ts'

export const expireOrder = reaction('expire-order', async ({ data }, { once }) => {
  await once(async (tx) => {
    const row = await lockOrder(tx, data.orderId)
    const reason = missedBy(row, data.milestone, await timeOf(tx))
    if (reason !== undefined) await cancel(tx, row, 'expire', reason)
  })
})
