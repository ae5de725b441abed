import * as z from 'zod'
import type { EventSpec } from '../shared/domain.ts'
import { eventId, eventMoney } from '../shared/schemas/event-shapes.ts'

const issued = z.strictObject({
  orderId: eventId,
  invoiceId: eventId,
  /** Of the shop’s own series, such as INV-2026-000001. */
  number: z.string(),
  amount: eventMoney,
})

export const events = {
  'invoice.issued': { summary: 'What was captured has its invoice', data: issued },
  'credit-note.issued': { summary: 'What was refunded has its credit note', data: issued },
} as const satisfies Record<string, EventSpec>
