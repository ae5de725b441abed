import * as z from 'zod'
import type { EventSpec } from '../shared/domain.ts'
import { eventId, eventLines, eventMoney, ofOrder, oldCardToken } from '../shared/schemas/event-shapes.ts'

export const events = {
  'order.placed': {
    summary: 'A customer placed an order',
    data: z.strictObject({
      orderId: eventId,
      customerId: eventId,
      lines: eventLines,
      total: eventMoney,
      cardToken: oldCardToken,
    }),
  },
  'order.confirmed': { summary: 'Stock is reserved and the payment authorised', data: ofOrder },
  'order.shipped': { summary: 'Staff shipped the order', data: ofOrder },
  'order.completed': { summary: 'The order is shipped and paid', data: ofOrder },
  'order.cancelled': {
    summary: 'The order was cancelled: its stock is released and its payment returned',
    data: z.strictObject({ orderId: eventId, reason: z.string() }),
  },
  'order.deadline-reached': {
    summary: 'The deadline for confirming or shipping the order has passed, whether it was met or not',
    scheduled: true,
    data: z.strictObject({ orderId: eventId, milestone: z.enum(['confirmation', 'shipment']) }),
  },
} as const satisfies Record<string, EventSpec>
