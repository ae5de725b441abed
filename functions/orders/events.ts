import * as z from 'zod'
import type { EventSpec } from '../shared/domain.ts'
import { eventId, eventLines, eventMoney, ofOrder } from '../shared/schemas/event-shapes.ts'

export const events = {
  'order.placed': {
    summary: 'A customer placed an order',
    data: z.strictObject({
      orderId: eventId,
      customerId: eventId,
      lines: eventLines,
      total: eventMoney,
      cardToken: z.string(),
    }),
  },
  'order.confirmed': { summary: 'Stock is reserved and the payment authorised', data: ofOrder },
  'order.shipped': { summary: 'Staff shipped the order', data: ofOrder },
  'order.completed': { summary: 'The order is shipped and paid', data: ofOrder },
  'order.cancelled': {
    summary: 'The order ended without a sale: what was taken is given back',
    data: z.strictObject({ orderId: eventId, reason: z.string() }),
  },
  'order.deadline-reached': {
    summary:
      'The time has come by which the order should have been confirmed or shipped, whether it was or not',
    scheduled: true,
    data: z.strictObject({ orderId: eventId, milestone: z.enum(['confirmation', 'shipment']) }),
  },
} as const satisfies Record<string, EventSpec>
