import * as z from 'zod'
import type { EventSpec } from '../shared/domain.ts'
import type { Money } from '../shared/schemas/schemas.ts'
import type { Meter } from '../shared/telemetry/telemetry.ts'
import { eventId, eventMoney } from '../shared/schemas/event-shapes.ts'

const payment = z.strictObject({ orderId: eventId, paymentId: eventId, amount: eventMoney })
const refused = z.strictObject({ orderId: eventId, paymentId: eventId, reason: z.string() })

interface Paid {
  amount: Money
}

export const events = {
  'payment.authorized': { summary: 'The total is authorised', data: payment },
  'payment.declined': { summary: 'The provider declined the card', data: refused },
  'payment.captured': {
    summary: 'The total is captured, or what a parcel costs',
    data: z.strictObject({
      ...payment.shape,
      /** The parcel, if `amount` is what is captured for one. */
      parcelId: eventId.exactOptional(),
      /** What is captured in all. Events of earlier versions, which captured all at once, have none. */
      captured: eventMoney.exactOptional(),
    }),
    measure: ({ amount: { amount, currency } }: Paid, meter: Meter) =>
      meter.add('zeroshop.revenue.captured', amount, { currency }),
  },
  'payment.capture-failed': {
    summary: 'The provider refused to capture: the parcel is recalled',
    data: z.strictObject({ ...refused.shape, parcelId: eventId.exactOptional() }),
  },
  'payment.voided': { summary: 'What was authorised and not captured was given back', data: payment },
  'refund.requested': {
    summary: 'A refund was begun; it is finished even if the request is interrupted',
    data: z.strictObject({ orderId: eventId, paymentId: eventId, refundId: eventId }),
  },
  'payment.refunded': {
    summary: 'Money went back to the customer',
    // events of earlier versions do not name the refund
    data: payment.extend({ refundId: eventId.exactOptional(), returnId: eventId.exactOptional() }),
    measure: ({ amount: { amount, currency } }: Paid, meter: Meter) =>
      meter.add('zeroshop.revenue.refunded', amount, { currency }),
  },
} as const satisfies Record<string, EventSpec>
