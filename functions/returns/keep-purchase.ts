import { sql } from 'drizzle-orm'
import type { EventData } from '../../events/event.ts'
import { reaction } from '../../events/reaction.ts'
import { mergeLines } from './pieces.ts'
import { claimedCustomers, purchases, type BoughtLine } from './return.ts'

/** Keeps what was bought, and when it was shipped. Each event adds what it tells, in whatever order they come. */
export const keepPurchase = reaction('keep-purchase', async ({ type, data, time }, { once }) => {
  await once(async (tx) => {
    const { orderId } = data
    const told =
      type === 'order.placed' || type === 'order.reduced'
        ? {
            // the record of the customer may have been claimed before this is heard
            customerId: sql`coalesce((select ${claimedCustomers.userId} from ${claimedCustomers} where ${claimedCustomers.id} = ${data.customerId}), ${data.customerId})`,
            currency: data.total.currency,
            lines: boughtIn(data),
          }
        : type === 'order.cancelled'
          ? { cancelledAt: time }
          : { shippedAt: time }
    await tx
      .insert(purchases)
      .values({ orderId, ...told })
      .onConflictDoUpdate({
        target: purchases.orderId,
        set:
          'shippedAt' in told
            ? // the period begins with the shipment, and not with the completion
              { shippedAt: sql`least(${purchases.shippedAt}, excluded.shipped_at)` }
            : type === 'order.placed'
              ? // that something was left out may be heard before
                { ...told, lines: sql`coalesce(${purchases.lines}, excluded.lines)` }
              : told,
      })
  })
})

/** Returns what was bought, or null if the event of an earlier version does not tell what it cost. */
function boughtIn({ lines }: Pick<EventData<'order.placed'>, 'lines'>): BoughtLine[] | null {
  const bought = lines.flatMap(({ sku, quantity, net, taxRate, tax, gross }) =>
    net === undefined || taxRate === undefined || tax === undefined || gross === undefined
      ? []
      : [{ sku, quantity, net, taxRate, tax, gross }],
  )
  return bought.length < lines.length ? null : mergeLines(bought)
}
