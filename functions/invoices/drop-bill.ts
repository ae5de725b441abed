import { reaction } from '../../events/reaction.ts'
import { forgetSecrets } from '../../events/secrets.ts'

/** Forgets the bill of an order that was shipped and could not be paid: there will be no invoice. */
export const dropBill = reaction('drop-bill', async ({ data: { orderId } }, { once }) => {
  await once((tx) => forgetSecrets(tx, [orderId]))
})
