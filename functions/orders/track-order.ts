import { advance, lockOrder, writeOrder } from './store.ts'
import { formatMoney } from '../shared/schemas/money.ts'
import { reaction } from '../../events/reaction.ts'

export const trackOrder = reaction('track-order', async ({ type, data, time, actor }, { once }) => {
  await once(async (tx) => {
    const row = await lockOrder(tx, data.orderId)
    const detail = 'amount' in data ? formatMoney(data.amount) : undefined
    const entry = { type, detail, at: time, actor }
    const reserved = type === 'stock.reserved' && (await advance(tx, row, 'reserve', undefined, [entry]))
    if (!reserved) await writeOrder(tx, row, {}, [entry])
  })
})
