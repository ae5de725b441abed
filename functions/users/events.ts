import * as z from 'zod'
import type { EventSpec } from '../shared/domain.ts'
import { eventId } from '../shared/schemas/event-shapes.ts'

export const events = {
  'user.deleted': {
    summary: 'A user was deleted: what they sell is withdrawn, and what they have not paid is cancelled',
    data: z.strictObject({ userId: eventId }),
  },
  'session.ended': {
    summary: 'Sessions of a user have ended: their access tokens are refused from now on',
    // only those that may still have an access token
    data: z.strictObject({ userId: eventId, sessionIds: z.array(eventId).min(1) }),
  },
  'user.email-changed': {
    summary:
      'A user has another e-mail address; the previous one is to be told, so that its owner can object',
    // not the new address: whoever reads the previous mailbox need not know it
    data: z.strictObject({ userId: eventId, previousEmail: z.string() }),
  },
} as const satisfies Record<string, EventSpec>
