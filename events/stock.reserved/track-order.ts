import { advance, lockOrder, writeOrder } from '../../functions/orders/store.ts'
import { reaction } from '../reaction.ts'

export const trackOrder = reaction('track-order', async ({ type, data, time }, { once }) => {
  await once(async (tx) => {
    const row = await lockOrder(tx, data.orderId)
    const detail = 'amount' in data ? `${data.amount.amount / 100} ${data.amount.currency}` : undefined
    const entry = { type, detail, at: time }
    const reserved = type === 'stock.reserved' && (await advance(tx, row, 'reserve', undefined, [entry]))
    if (!reserved) await writeOrder(tx, row, {}, [entry])
  })
})
