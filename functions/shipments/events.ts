import * as z from 'zod'
import type { EventSpec } from '../shared/domain.ts'
import { eventId, eventMoney, eventSku, ofOrder } from '../shared/schemas/event-shapes.ts'
import { failureReasons } from './failure-reasons.ts'

const amount = z.int().min(0)
const taxed = { net: amount, taxRate: amount, tax: amount, gross: amount }
const ofParcel = {
  orderId: eventId,
  customerId: eventId,
  parcelId: eventId,
  /** 1, 2, … within the order. */
  number: z.int().min(1),
}

export const events = {
  'shipment.deadline-reached': {
    summary: 'Whoever has taken a shipment must have packed it by now; if not, it waits for somebody else',
    scheduled: true,
    data: ofOrder,
  },
  'parcel.shipped': {
    summary: 'A parcel of the order was handed to its carrier',
    data: z.strictObject({
      ...ofParcel,
      /** For each line of the order of which something is in it. The parts of a line add up to it. */
      items: z
        .array(z.strictObject({ sku: eventSku, quantity: z.int().min(1), discount: amount, ...taxed }))
        .min(1),
      /** What the shipping of the order costs: the first parcel has it. */
      shipping: z.strictObject(taxed).nullable(),
      /** What is captured for it. */
      amount: eventMoney,
      /** Whether nothing of the order is left. */
      last: z.boolean(),
      carrier: z.string().min(1).max(40),
      trackingNumber: z.string().min(4).max(40),
    }),
  },
  'parcel.delivered': { summary: 'A parcel has reached its customer', data: z.strictObject(ofParcel) },
  'parcel.failed': {
    summary: 'A parcel did not reach its customer',
    data: z.strictObject({ ...ofParcel, reason: z.enum(failureReasons) }),
  },
} as const satisfies Record<string, EventSpec>
