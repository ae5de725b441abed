import { batchReaction, type EventOf } from '../../events/reaction.ts'

export const projectProduct = batchReaction('project-product', {
  write: async (tx, events) => {
    // events of one product may arrive out of order, so an older version never overwrites a newer one
    await tx.client`
      insert into orders.products as known (
        sku, product_id, name, price_amount, currency, weight_grams, tax_class, version, deleted_at)
      select
        sku, "productId", name, "priceAmount", currency, "weightGrams", "taxClass", version, "deletedAt"
      from jsonb_to_recordset(${JSON.stringify(events.map(toldBy))}::jsonb) as told (
        sku text, "productId" uuid, name text, "priceAmount" integer, currency text, "weightGrams" integer,
        "taxClass" text, version integer, "deletedAt" timestamptz)
      on conflict (sku) do update set
        product_id = excluded.product_id, name = excluded.name, price_amount = excluded.price_amount,
        currency = excluded.currency, weight_grams = excluded.weight_grams, tax_class = excluded.tax_class,
        version = excluded.version, deleted_at = excluded.deleted_at
      where known.version < excluded.version`
  },
})

/** Returns what an event tells of a product. Nobody reads what a deleted product was called, or cost. */
function toldBy({ type, data, time }: EventOf<'project-product'>) {
  const { sku, productId, version } = data
  const known = { sku, productId, version, weightGrams: 0, taxClass: 'standard' }
  if (type === 'product.deleted')
    return { ...known, name: '', priceAmount: 0, currency: 'XXX', deletedAt: time }
  const { name, price, weightGrams = 0, taxClass = 'standard' } = data
  return { ...known, name, priceAmount: price.amount, currency: price.currency, weightGrams, taxClass }
}
