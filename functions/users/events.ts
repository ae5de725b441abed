import * as z from 'zod'
import type { EventSpec } from '../shared/domain.ts'
import { eventId } from '../shared/schemas/event-shapes.ts'

export const events = {
  'user.deleted': {
    summary: 'A user was deleted: every domain ends what the user has begun, and forgets them',
    data: z.strictObject({ userId: eventId }),
  },
  'session.ended': {
    summary: 'Sessions of a user have ended: their access tokens are refused from now on',
    // only those that may still have an access token
    data: z.strictObject({ userId: eventId, sessionIds: z.array(eventId).min(1) }),
  },
  'user.email-changed': {
    summary: 'A user has another e-mail address',
    // neither address: what an event contains cannot be taken back when the user is deleted
    data: z.strictObject({ userId: eventId }),
  },
  'user.contact-changed': {
    summary: 'A user has registered, or has another name or e-mail address',
    // both are left as a secret under the contact's id
    data: z.strictObject({ userId: eventId, contactId: eventId }),
  },
  'user.verification-requested': {
    summary: 'A user is to confirm their e-mail address',
    // the address and the token are left as a secret under the request's id
    data: z.strictObject({ userId: eventId, requestId: eventId }),
  },
  'user.password-reset-requested': {
    summary: 'Somebody has asked for a new password, which the owner of the e-mail address may set',
    // likewise
    data: z.strictObject({ userId: eventId, requestId: eventId }),
  },
} as const satisfies Record<string, EventSpec>
