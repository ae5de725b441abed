import * as z from 'zod'
import type { EventSpec } from '../shared/domain.ts'
import { eventId } from '../shared/schemas/event-shapes.ts'

export const events = {
  'notification.created': {
    summary: 'There is something to tell a user',
    data: z.strictObject({ notificationId: eventId, userId: eventId }),
  },
  'webhook.due': {
    summary: 'A delivery to a seller’s system is due, unless it has been made',
    scheduled: true,
    data: z.strictObject({
      deliveryId: eventId,
      /** Which attempt it is, beginning with 1. */
      attempt: z.int().min(1),
    }),
  },
} as const satisfies Record<string, EventSpec>
