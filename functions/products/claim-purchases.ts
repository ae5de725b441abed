import { reaction } from '../../events/reaction.ts'

/** Remembers the claim, so that what was ordered before it counts even if its events come later. */
export const claimPurchases = reaction('claim-purchases', async ({ data }, { claims }) => {
  const { customerId, userId } = data
  await claims.updateOne({ _id: customerId }, { $set: { userId } }, { upsert: true })
})
