import * as z from 'zod'
import type { EventSpec } from '../shared/domain.ts'
import { eventId } from '../shared/schemas/event-shapes.ts'

export const events = {
  'user.deleted': {
    summary: 'A user was deleted: what they sell is withdrawn, and what they have not paid is cancelled',
    data: z.strictObject({ userId: eventId }),
  },
} as const satisfies Record<string, EventSpec>
