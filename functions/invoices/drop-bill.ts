import { reaction } from '../../events/reaction.ts'
import { forgetSecrets } from '../../events/secrets.ts'

/** Forgets the bill of an order or a parcel that was shipped and could not be paid: there will be no invoice. */
export const dropBill = reaction('drop-bill', async ({ data: { orderId, parcelId = orderId } }, { once }) => {
  await once((tx) => forgetSecrets(tx, [parcelId]))
})
