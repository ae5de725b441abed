import { batchReaction } from '../../events/reaction.ts'

export const categorizeProduct = batchReaction('categorize-product', {
  write: async (tx, events) => {
    const rows = events.map(({ data: { sku, category, version } }) => ({ sku, category, version }))
    // events of one product may arrive out of order
    await tx.client`
      insert into coupons.products as known (sku, category, version)
      select sku, category, version
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as new (sku text, category text, version integer)
      on conflict (sku) do update set category = excluded.category, version = excluded.version
      where known.version < excluded.version`
  },
})
