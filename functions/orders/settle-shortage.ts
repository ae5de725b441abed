import { reaction } from '../../events/reaction.ts'
import { missingOf, piecesText } from './shortage.ts'
import { askCustomer, leaveOut } from './shortages.ts'
import { lockOrder, writeOrder } from './store.ts'

export const settleShortage = reaction(
  'settle-shortage',
  async ({ data, type, time, actor }, { once, deadlineMs }) => {
    await once(async (tx) => {
      const row = await lockOrder(tx, data.orderId)
      const missing = missingOf(data.shortages)
      const entries = [{ type, detail: `missing: ${piecesText(missing)}`.slice(0, 500), at: time, actor }]
      // `order.cancelled` gives back what was reserved
      if (row.status !== 'placed') await writeOrder(tx, row, {}, entries)
      else if (row.onShortage === 'ask') await askCustomer(tx, row, missing, entries)
      else await leaveOut(tx, row, missing, { entries, deadlineMs })
    })
  },
)
