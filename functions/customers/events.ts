import * as z from 'zod'
import type { EventSpec } from '../shared/domain.ts'
import { eventId } from '../shared/schemas/event-shapes.ts'

export const events = {
  'customer.claim-requested': {
    summary: 'A customer without an account is to get a link with which they can claim their record',
    // the e-mail address and the token are left as a secret under `requestId`
    data: z.strictObject({ customerId: eventId, requestId: eventId }),
  },
  'customer.deleted': {
    summary: 'A customer without an account was deleted: every domain forgets them',
    data: z.strictObject({ customerId: eventId }),
  },
  'customer.claimed': {
    summary: 'What staff kept of a customer belongs to an account now',
    data: z.strictObject({ customerId: eventId, userId: eventId }),
  },
  'customer.language-changed': {
    summary: 'A user wants to be written to in this language',
    data: z.strictObject({ userId: eventId, language: z.enum(['en', 'es']) }),
  },
} as const satisfies Record<string, EventSpec>
