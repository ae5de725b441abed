import * as z from 'zod'
import type { Actor } from '../auth/actor.ts'
import { Id } from './schemas.ts'

const roles = ['customer', 'seller', 'staff', 'admin', 'system', 'anonymous'] as const

/** An actor in the API. */
export const ActorSchema = z
  .object({
    role: z.enum(roles).meta({ description: 'The role at that time; `system` if no person did it.' }),
    id: Id.optional(),
  })
  .meta({ id: 'Actor' })

/** Converts an actor to that of the API. */
export function toActor(actor: Actor): z.infer<typeof ActorSchema> {
  const [role, id] = actor.split(':') as [(typeof roles)[number], string | undefined]
  return { role, ...(id === undefined ? {} : { id }) }
}
