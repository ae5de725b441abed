import * as z from 'zod'
import type { EventSpec } from '../shared/domain.ts'
import type { Meter } from '../shared/telemetry/telemetry.ts'
import { reasonClass, sincePlaced } from './measures.ts'
import { eventId, eventMoney, eventSku, ofOrder, oldCardToken } from '../shared/schemas/event-shapes.ts'
import { onShortages } from '../shared/schemas/on-shortage.ts'
import { priceKinds } from './price-kinds.ts'

interface OfOrder {
  orderId: string
}

const amount = z.int().min(0)
const cartLines = z.array(z.strictObject({ sku: eventSku, quantity: z.int().min(1) })).min(1)
const keptItems = z.array(z.strictObject({ sku: eventSku, quantity: z.int().min(1) }))
const taxed = { net: amount, taxRate: amount, tax: amount, gross: amount }
const pieces = z.array(z.strictObject({ sku: eventSku, quantity: z.int().min(1) })).min(1)

export const events = {
  'order.placed': {
    summary: 'A customer placed an order',
    data: z.strictObject({
      orderId: eventId,
      customerId: eventId,
      /** Invoices and returns are computed from the amounts, in minor units. Events of earlier versions have none. */
      lines: z
        .array(
          z.strictObject({
            sku: eventSku,
            quantity: z.int().min(1),
            unitPrice: amount.exactOptional(),
            discount: amount.exactOptional(),
            net: amount.exactOptional(),
            taxRate: amount.exactOptional(),
            tax: amount.exactOptional(),
            gross: amount.exactOptional(),
          }),
        )
        .min(1),
      /** Whether unit prices and discounts include tax. */
      prices: z.enum(priceKinds).exactOptional(),
      shipping: z.strictObject(taxed).exactOptional(),
      total: eventMoney,
      /** What becomes of the order if only a part of it is there; it is cancelled if this is not set. */
      onShortage: z.enum(onShortages).exactOptional(),
      cardToken: oldCardToken,
    }),
    measure: (_, meter: Meter) => meter.add('zeroshop.orders.placed'),
  },
  'cart.ordered': {
    summary: 'An order was made from a customer’s cart',
    data: z.strictObject({ orderId: eventId, customerId: eventId, cartId: eventId, lines: cartLines }),
  },
  'order.discounted': { summary: 'An order was placed with coupons', data: ofOrder },
  'order.reduced': {
    summary: 'What is missing was left out of the order: from now on it is what this event tells',
    data: z.strictObject({
      orderId: eventId,
      customerId: eventId,
      lines: z
        .array(
          z.strictObject({
            sku: eventSku,
            quantity: z.int().min(1),
            unitPrice: amount,
            discount: amount,
            ...taxed,
          }),
        )
        .min(1),
      prices: z.enum(priceKinds),
      shipping: z.strictObject(taxed),
      total: eventMoney,
      dropped: pieces,
    }),
  },
  'order.decision-requested': {
    summary: 'A part of the order is missing, and its customer is to decide what becomes of it',
    data: z.strictObject({ orderId: eventId, missing: pieces }),
  },
  'order.backordered': {
    summary: 'The order waits for what is missing',
    data: z.strictObject({ orderId: eventId, customerId: eventId, missing: pieces, total: eventMoney }),
  },
  'order.confirmed': {
    summary: 'Stock is reserved and the payment authorised',
    data: z.strictObject({
      orderId: eventId,
      /** What it costs, if something was left out of it. */
      reducedTo: eventMoney.exactOptional(),
    }),
    measure({ orderId }: OfOrder, meter: Meter) {
      meter.add('zeroshop.orders.confirmed')
      meter.record('zeroshop.order.duration', sincePlaced(orderId), { step: 'confirmed' })
    },
  },
  'order.shipped': {
    summary: 'Staff shipped the order',
    data: ofOrder,
    measure: ({ orderId }: OfOrder, meter: Meter) =>
      meter.record('zeroshop.order.duration', sincePlaced(orderId), { step: 'shipped' }),
  },
  'order.completed': {
    summary: 'The order is shipped and paid',
    data: ofOrder,
    measure({ orderId }: OfOrder, meter: Meter) {
      meter.add('zeroshop.orders.completed')
      meter.record('zeroshop.order.duration', sincePlaced(orderId), { step: 'completed' })
    },
  },
  'order.cancelled': {
    summary: 'The order was cancelled: its stock is released and its payment returned, but for what is kept',
    data: z.strictObject({
      orderId: eventId,
      reason: z.string(),
      /** The parcels that the customer keeps, if a part of the order was shipped and paid. */
      kept: z.array(z.strictObject({ parcelId: eventId, items: keptItems })).exactOptional(),
    }),
    measure({ orderId, reason }: OfOrder & { reason: string }, meter: Meter) {
      meter.add('zeroshop.orders.cancelled', 1, { reason: reasonClass(reason) })
      meter.record('zeroshop.order.duration', sincePlaced(orderId), { step: 'cancelled' })
    },
  },
  'order.deadline-reached': {
    summary: 'The deadline for confirming or shipping the order has passed, whether it was met or not',
    scheduled: true,
    data: z.strictObject({ orderId: eventId, milestone: z.enum(['confirmation', 'shipment']) }),
  },
} as const satisfies Record<string, EventSpec>
