import * as z from 'zod'
import type { EventSpec } from '../shared/domain.ts'
import { eventId } from '../shared/schemas/event-shapes.ts'

export const events = {
  'cart.deadline-reached': {
    summary: 'A cart may have been unchanged for 30 days',
    scheduled: true,
    data: z.strictObject({
      /** The user whose cart it is, or a guest. */
      ownerId: eventId,
      /** A cart has one deadline at a time. */
      deadlineId: eventId,
    }),
  },
} as const satisfies Record<string, EventSpec>
