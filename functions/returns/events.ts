import * as z from 'zod'
import type { EventSpec } from '../shared/domain.ts'
import { eventId, eventMoney, eventSku } from '../shared/schemas/event-shapes.ts'
import { reasons, refusals } from './reasons.ts'

const ofReturn = { returnId: eventId, orderId: eventId, customerId: eventId }
const amount = z.int().min(0)
const quantity = z.int().min(1)

export const events = {
  'return.requested': {
    summary: 'A customer wants to send pieces back',
    data: z.strictObject({
      ...ofReturn,
      items: z.array(z.strictObject({ sku: eventSku, quantity, reason: z.enum(reasons) })).min(1),
    }),
  },
  'return.approved': { summary: 'The customer may send the pieces back', data: z.strictObject(ofReturn) },
  'return.refused': {
    summary: 'The pieces are not taken back',
    data: z.strictObject({ ...ofReturn, reason: z.enum(refusals) }),
  },
  'return.received': {
    summary: 'Pieces came back: what they cost is refunded, and they are restocked or written off',
    data: z.strictObject({
      ...ofReturn,
      items: z
        .array(
          z.strictObject({
            sku: eventSku,
            quantity,
            restock: z.boolean(),
            net: amount,
            taxRate: amount,
            tax: amount,
            gross: amount,
          }),
        )
        .min(1),
      refund: eventMoney,
    }),
  },
} as const satisfies Record<string, EventSpec>
