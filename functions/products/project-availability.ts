import { batchReaction } from '../../events/reaction.ts'

/** It changes nothing if it is repeated, or if a later version is there already. */
export const projectAvailability = batchReaction('project-availability', {
  write: async ({ products }, events) => {
    await products.bulkWrite(
      events.map(({ data: { sku, availability, version } }) => ({
        updateOne: {
          // what nobody has announced yet has no version
          filter: { sku, 'stock.version': { $not: { $gte: version } } },
          update: { $set: { stock: { availability, version, at: new Date() } } },
        },
      })),
      { ordered: false },
    )
  },
})
