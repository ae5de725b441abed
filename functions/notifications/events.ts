import * as z from 'zod'
import type { EventSpec } from '../shared/domain.ts'
import { eventId } from '../shared/schemas/event-shapes.ts'

export const events = {
  'notification.created': {
    summary: 'There is something to tell a user',
    data: z.strictObject({ notificationId: eventId, userId: eventId }),
  },
} as const satisfies Record<string, EventSpec>
