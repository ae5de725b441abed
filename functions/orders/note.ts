import * as z from 'zod'
import { isStaff, type User } from '../shared/auth/access-token.ts'
import { text } from '../shared/schemas/schemas.ts'

/** Notes between staff and the customer on an order's timeline. */

/** The type of their entries. */
export const noteAdded = 'order.note-added'

/** The most notes that an order may have. */
export const maxNotes = 100

export const visibilities = ['customer', 'staff'] as const

export const NewNote = z
  .strictObject({
    text: text(1000),
    visibility: z.enum(visibilities).default('customer').meta({
      description: 'Who sees it: the customer and staff, or only staff.',
    }),
  })
  .meta({ id: 'NewNote' })

/** Returns whether a user who may see an order may also see an entry of its timeline. */
export const maySeeEntry = ({ staffNote }: { staffNote: string | null }, user: User) =>
  staffNote === null || isStaff(user)
