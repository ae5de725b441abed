import { batchReaction, type EventOf } from '../../events/reaction.ts'
import { hear, type Heard } from './hear.ts'
import type { OrderedLine } from './shipment.ts'

export const queueShipment = batchReaction('queue-shipment', {
  write: async (tx, events) => {
    await hear(
      tx,
      events.flatMap((event) => heardFrom(event) ?? []),
    )
  },
})

/** Returns what an event tells of an order, or undefined if it is nothing that can be shipped in parcels. */
function heardFrom(event: EventOf<'queue-shipment'>): Heard | undefined {
  switch (event.type) {
    case 'order.placed': {
      const { orderId, customerId, shipping, total } = event.data
      const lines = event.data.lines.flatMap(({ sku, quantity, discount = 0, net, taxRate, tax, gross }) =>
        net === undefined || taxRate === undefined || tax === undefined || gross === undefined
          ? []
          : [{ sku, quantity, discount, net, taxRate, tax, gross }],
      ) satisfies OrderedLine[]
      // an order of an earlier version is shipped as a whole: its total cannot be divided
      if (lines.length < event.data.lines.length || shipping === undefined) return undefined
      return { orderId, event: 'place', order: { customerId, lines, shipping, currency: total.currency } }
    }
    case 'order.reduced': {
      const { orderId, customerId, lines, shipping, total } = event.data
      const kept = lines.map(({ sku, quantity, discount, net, taxRate, tax, gross }) => ({
        sku,
        quantity,
        discount,
        net,
        taxRate,
        tax,
        gross,
      }))
      return {
        orderId,
        event: 'reduce',
        order: { customerId, lines: kept, shipping, currency: total.currency },
      }
    }
    case 'order.confirmed': {
      const { orderId, reducedTo } = event.data
      return { orderId, event: 'confirm', ...(reducedTo && { costs: reducedTo.amount }) }
    }
    case 'order.shipped':
      return { orderId: event.data.orderId, event: 'close' }
    default:
      return {
        orderId: event.data.orderId,
        event: 'cancel',
        kept: (event.data.kept ?? []).map(({ parcelId }) => parcelId),
      }
  }
}
