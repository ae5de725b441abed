import type { EventSpec } from '../shared/domain.ts'
import { ofOrder } from '../shared/schemas/event-shapes.ts'

export const events = {
  'redemption.deadline-reached': {
    summary: 'An order with coupons must be placed by now; if it is not, they are given back',
    scheduled: true,
    data: ofOrder,
  },
} as const satisfies Record<string, EventSpec>
