import { reaction } from '../../events/reaction.ts'

/** It changes nothing if it is repeated, or if a later version is there already. */
export const projectAvailability = reaction('project-availability', async ({ data }, { products }) => {
  const { sku, availability, version } = data
  const isEarlier = { $or: [{ 'stock.version': { $lt: version } }, { stock: { $exists: false } }] }
  await products.updateOne(
    { sku, ...isEarlier },
    { $set: { stock: { availability, version, at: new Date() } } },
  )
})
