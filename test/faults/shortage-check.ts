import { isDeepStrictEqual } from 'node:util'
import type { OnShortage } from '../../functions/shared/schemas/on-shortage.ts'
import type { Books, Finding } from './checker.ts'
import { sumsOf } from './parcel-check.ts'

/** What the checker reads of shortages. */
export interface ShortageBooks {
  /** What orders wait for that are not shipped yet, and what they got of it. */
  backorders: { order_id: string; sku: string; quantity: number; filled: number }[]
  /** What orders became of which something was left out. */
  reduced: { order_id: string; total: number; lines: { sku: string; quantity: number; gross: number }[] }[]
}

/** The queries that read them. */
export const shortageQueries = {
  backorders: 'select order_id, sku, quantity, filled from stock.backorder_lines',
  reduced: `
    select subject as order_id, (data->'total'->>'amount')::int as total, data->'lines' as lines
    from events.outbox where type = 'order.reduced'`,
} as const

/** Checks that an order gets no more than it asked for, pays for what it keeps, and is left out of only if it said so. */
export function shortages({
  orders,
  reservations,
  backorders,
  reduced,
  payments,
  timeline,
  items,
}: Books): Finding {
  const violations: string[] = []
  const orderOf = new Map(orders.map((order) => [order.id, order]))
  const paymentOf = new Map(payments.map((payment) => [payment.order_id, payment]))
  const stateOf = new Map(reservations.map(({ order_id, state }) => [order_id, state]))
  const availableOf = new Map(items.map(({ sku, available }) => [sku, available]))
  for (const { order_id: id, total, lines } of reduced) {
    const order = orderOf.get(id)
    if (order !== undefined && !mayBePart(order.on_shortage))
      violations.push(`order ${id} takes all or nothing, but something was left out of it`)
    if (order?.total_amount !== total)
      violations.push(`order ${id} was reduced to ${total}, but costs ${order?.total_amount}`)
    if (!isDeepStrictEqual(sumsOf(lines), sumsOf(order?.lines ?? [])))
      violations.push(`order ${id} has other lines than those that were left of it`)
  }
  for (const { id, total_amount, on_shortage } of orders) {
    const payment = paymentOf.get(id)
    // one that only blocks the payment of a cancelled order has no amount
    if (mayBePart(on_shortage) && payment !== undefined && ![0, total_amount].includes(payment.amount))
      violations.push(`order ${id} costs ${total_amount}, but ${payment.amount} was authorised for it`)
  }
  for (const { order_id: id, sku, quantity, filled } of backorders) {
    if (filled > quantity) violations.push(`order ${id} lacks ${quantity} of ${sku}, but got ${filled}`)
    if (filled < quantity && (availableOf.get(sku) ?? 0) > 0)
      violations.push(`order ${id} waits for ${sku}, of which some is available`)
    if (stateOf.get(id) !== 'reserved')
      violations.push(`order ${id} waits for ${sku}, but its reservation is ${stateOf.get(id) ?? 'missing'}`)
  }
  const partly = timeline.filter(({ type }) => type === 'stock.partly-reserved')
  return {
    name: 'I13',
    what: 'of an order with a shortage, no more is reserved than it lacks, and just what it keeps is charged',
    figures: `${partly.length} shortages, ${reduced.length} orders reduced, ${backorders.length} lines that wait`,
    violations,
  }
}

const mayBePart = (onShortage: OnShortage | undefined) => onShortage !== undefined && onShortage !== 'cancel'
