import type postgres from 'postgres'
import type { EventData } from '../../events/event.ts'
import { batchReaction, type EventOf } from '../../events/reaction.ts'
import type { Tx } from '../shared/store/postgres.ts'
import { mergeLines } from './pieces.ts'
import type { BoughtLine } from './return.ts'

/** Keeps what was bought, and when it was shipped. Each event adds what it tells, in whatever order they come. */
export const keepPurchase = batchReaction('keep-purchase', {
  write: async (tx, events) => {
    const isReduced = ({ type }: EventOf<'keep-purchase'>) => type === 'order.reduced'
    await Promise.all([
      // that something was left out may be heard before what was placed
      keep(
        tx,
        events.filter((event) => !isReduced(event)),
        tx.client`coalesce(bought.lines, excluded.lines)`,
      ),
      keep(tx, events.filter(isReduced), tx.client`coalesce(excluded.lines, bought.lines)`),
    ])
  },
})

/** @param lines the lines of an order of which something is known already */
async function keep(tx: Tx, events: readonly EventOf<'keep-purchase'>[], lines: postgres.Fragment) {
  if (events.length > 0)
    await tx.client`
      insert into returns.purchases as bought (order_id, customer_id, currency, lines, shipped_at, cancelled_at)
      -- the record of the customer may have been claimed before this is heard
      select "orderId", coalesce(claimed.user_id, "customerId"), currency, lines, "shippedAt", "cancelledAt"
      from jsonb_to_recordset(${JSON.stringify(events.map(toldBy))}::jsonb) as told (
        "orderId" uuid, "customerId" uuid, currency text, lines jsonb, "shippedAt" timestamptz, "cancelledAt" timestamptz)
      left join returns.claimed_customers as claimed on claimed.id = told."customerId"
      on conflict (order_id) do update set
        customer_id = coalesce(excluded.customer_id, bought.customer_id),
        currency = coalesce(excluded.currency, bought.currency),
        lines = ${lines},
        -- the period begins with the shipment, and not with the completion
        shipped_at = least(bought.shipped_at, excluded.shipped_at),
        cancelled_at = coalesce(excluded.cancelled_at, bought.cancelled_at)`
}

/** Returns what an event tells of an order. */
function toldBy({ type, data, time }: EventOf<'keep-purchase'>) {
  const { orderId } = data
  switch (type) {
    case 'order.placed':
    case 'order.reduced':
      return { orderId, customerId: data.customerId, currency: data.total.currency, lines: boughtIn(data) }
    case 'order.cancelled':
      return { orderId, cancelledAt: time }
    default:
      return { orderId, shippedAt: time }
  }
}

/** Returns what was bought, or null if the event of an earlier version does not tell what it cost. */
function boughtIn({ lines }: Pick<EventData<'order.placed'>, 'lines'>): BoughtLine[] | null {
  const bought = lines.flatMap(({ sku, quantity, net, taxRate, tax, gross }) =>
    net === undefined || taxRate === undefined || tax === undefined || gross === undefined
      ? []
      : [{ sku, quantity, net, taxRate, tax, gross }],
  )
  return bought.length < lines.length ? null : mergeLines(bought)
}
