import { uuidv7 } from 'uuidv7'
import type { ShopEvent } from '../../events/event.ts'
import { batchReaction, type EventOf } from '../../events/reaction.ts'
import { addAll, giveAll, keepOrders, keepReduced, waitingFor } from './store.ts'
import { cancellationFacts, type Facts, type Kind } from './texts.ts'
import { sellerLinesOf, tellingsOf, type OrderNews } from './webhook-orders.ts'
import { queueWebhooks, sellersOf } from './webhook-store.ts'
import { webhookTypes } from './webhook.ts'

type Heard = EventOf<'notify-customer'>

/** Tells customers, and sellers who have webhook endpoints. Many events take as many statements as one. */
export const notifyCustomer = batchReaction('notify-customer', {
  write: async (tx, events) => {
    const placed = events.filter((event) => event.type === 'order.placed')
    const told = events.filter((event) => event.type !== 'order.placed')
    const reduced = events.filter((event) => event.type === 'order.reduced')
    const skus = [...placed, ...reduced].flatMap(({ data }) => data.lines.map(({ sku }) => sku))
    const sellers = skus.length === 0 ? new Map<string, string>() : await sellersOf(tx, skus)
    // pipelined; the second statement sees what was committed before the orders were locked
    const [orders, waiting] = await Promise.all([
      keepOrders(tx, [
        ...placed.map(({ data }) => ({
          orderId: data.orderId,
          customerId: data.customerId,
          sellerLines: sellerLinesOf(data, sellers),
        })),
        ...told.map((event) => ({ orderId: event.data.orderId, early: newsOf(event) })),
      ]),
      waitingFor(
        tx,
        placed.map(({ data }) => data.orderId),
      ),
    ])
    await keepReduced(
      tx,
      reduced.map(({ data }) => ({ id: data.orderId, sellerLines: sellerLinesOf(data, sellers) ?? null })),
    )
    const customerOf = (orderId: string) => orders.get(orderId)?.customerId ?? null
    const placing = new Map(placed.map((event) => [event.data.orderId, causedBy(event)]))
    await Promise.all([
      giveAll(
        tx,
        waiting.map(({ id, orderId }) => ({ id, userId: customerOf(orderId)!, from: placing.get(orderId) })),
      ),
      addAll(
        tx,
        told
          .toSorted((a, b) => a.time.getTime() - b.time.getTime())
          .map((event) => ({
            ...toldBy(event),
            id: uuidv7(),
            eventId: event.id,
            userId: customerOf(event.data.orderId),
            orderId: event.data.orderId,
            at: event.time,
            from: causedBy(event),
          })),
      ),
      queueWebhooks(
        tx,
        events.flatMap((event) => {
          const { id, customerId, sellerLines, early } = orders.get(event.data.orderId)!
          if (customerId === null || sellerLines === null) return []
          const news = [...newsOf(event), ...((event.type === 'order.placed' && early) || [])]
          return news.flatMap((one) => tellingsOf(id, sellerLines, one, causedBy(event)))
        }),
      ),
    ])
  },
})

const causedBy = ({ traceparent }: ShopEvent) => ({ causedBy: { traceparent } })

/** Returns what sellers are told about an event: only what happens to the order itself. */
function newsOf(event: Heard): OrderNews[] {
  const { id: eventId, time: at } = event
  const type = webhookTypes.find((each) => each === event.type)
  if (type === undefined) return []
  const { reason } = event.type === 'order.cancelled' ? cancellationFacts(event.data.reason) : {}
  return [{ eventId, type, at, reason }]
}

const piecesIn = (pieces: readonly { sku: string; quantity: number }[]) =>
  pieces.map(({ sku, quantity }) => `${quantity} × ${sku}`).join(', ')

/** Returns what the customer is told about an event. */
function toldBy(event: Heard): { kind: Kind; facts: Facts } {
  switch (event.type) {
    case 'order.cancelled':
      return { kind: 'order-cancelled', facts: cancellationFacts(event.data.reason) }
    case 'order.decision-requested':
      return { kind: 'order-undecided', facts: { pieces: piecesIn(event.data.missing) } }
    case 'order.reduced':
      return {
        kind: 'order-reduced',
        facts: { pieces: piecesIn(event.data.dropped), amount: event.data.total },
      }
    case 'payment.declined':
      return { kind: 'payment-declined', facts: { detail: event.data.reason } }
    case 'payment.refunded':
      return { kind: 'payment-refunded', facts: { amount: event.data.amount } }
    case 'order.confirmed':
      return { kind: 'order-confirmed', facts: {} }
    case 'order.shipped':
      return { kind: 'order-shipped', facts: {} }
    case 'parcel.shipped':
      return {
        kind: 'parcel-shipped',
        facts: { carrier: event.data.carrier, number: event.data.trackingNumber },
      }
    case 'order.completed':
      return { kind: 'order-completed', facts: {} }
    case 'return.approved':
      return { kind: 'return-approved', facts: {} }
    case 'return.refused':
      return { kind: 'return-refused', facts: { refusal: event.data.reason } }
    case 'return.received':
      return { kind: 'return-received', facts: { amount: event.data.refund } }
    case 'invoice.issued':
      return { kind: 'invoice-issued', facts: { number: event.data.number, amount: event.data.amount } }
    default:
      throw new Error(`${event.type} tells customers nothing`)
  }
}
