import { batchReaction, type EventOf } from '../../events/reaction.ts'
import { tellCustomers } from './store.ts'
import { cancellationFacts, type Facts, type Kind } from './texts.ts'

export const notifyCustomer = batchReaction('notify-customer', {
  write: (tx, events) => {
    const of = ({ data: { orderId }, traceparent }: (typeof events)[number]) => ({
      orderId,
      from: { causedBy: { traceparent } },
    })
    return tellCustomers(
      tx,
      events.flatMap((event) =>
        event.type === 'order.placed' ? [{ ...of(event), customerId: event.data.customerId }] : [],
      ),
      events.flatMap((event) =>
        event.type === 'order.placed'
          ? []
          : [{ ...of(event), ...told(event), eventId: event.id, at: event.time }],
      ),
    )
  },
})

/** Returns what the customer is told about an event. */
function told(event: EventOf<'notify-customer'>): { kind: Kind; facts: Facts } {
  switch (event.type) {
    case 'order.cancelled':
      return { kind: 'order-cancelled', facts: cancellationFacts(event.data.reason) }
    case 'payment.declined':
      return { kind: 'payment-declined', facts: { detail: event.data.reason } }
    case 'payment.refunded':
      return { kind: 'payment-refunded', facts: { amount: event.data.amount } }
    case 'order.confirmed':
      return { kind: 'order-confirmed', facts: {} }
    case 'order.shipped':
      return { kind: 'order-shipped', facts: {} }
    case 'order.completed':
      return { kind: 'order-completed', facts: {} }
    default:
      throw new Error(`${event.type} tells customers nothing`)
  }
}
