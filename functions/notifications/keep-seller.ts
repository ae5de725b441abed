import { batchReaction } from '../../events/reaction.ts'

/** Keeps who sells what, to know whom the events of orders and stock concern. */
export const keepSeller = batchReaction('keep-seller', {
  write: async (tx, events) => {
    const rows = events.map(({ data }) => ({
      sku: data.sku,
      sellerId: 'sellerId' in data ? data.sellerId : null,
      version: data.version,
    }))
    // events of one product may arrive out of order
    await tx.client`
      insert into notifications.products as known (sku, seller_id, version)
      select sku, "sellerId", version
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as new (sku text, "sellerId" uuid, version integer)
      on conflict (sku) do update
      set seller_id = coalesce(excluded.seller_id, known.seller_id), version = excluded.version
      where known.version < excluded.version`
  },
})
