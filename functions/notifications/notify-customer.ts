import { reaction, type EventOf } from '../../events/reaction.ts'
import { keepOrder, notifyCustomerOf } from './store.ts'
import { cancellationFacts, type Facts, type Kind } from './texts.ts'

export const notifyCustomer = reaction('notify-customer', async (event, { once }) => {
  await once(async (tx) => {
    if (event.type === 'order.placed') {
      await keepOrder(tx, event.data.orderId, event.data.customerId)
      return
    }
    const { orderId } = event.data
    await notifyCustomerOf(tx, { eventId: event.id, orderId, at: event.time, ...told(event) })
  })
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
