import type { ReactionRow } from '../functions/shared/domain.ts'
import { domains, reactions, type InDomain } from '../functions/table.ts'

export interface Consumer {
  /** The domain, whose key signs what is delivered. */
  domain: string
  on: readonly string[]
  leadsTo?: string
  /**
   * Whether the dispatcher records that the event is handled. A reaction whose store is PostgreSQL does that
   * itself, together with its effect.
   */
  isRecorded: boolean
  /** Whether its events wait for others, because nothing waits for its effects. */
  isPatient: boolean
  /** How many deliveries its instances can handle concurrently. */
  atOnce: number
}

/** The dispatcher's data about each reaction, by its name. */
export const consumers: Readonly<Record<string, Consumer>> = Object.fromEntries(
  Object.entries(reactions as Record<string, InDomain<ReactionRow>>).map(
    ([name, { domain, on, leadsTo, patient, concurrency, maxScale }]) => [
      name,
      {
        domain,
        on,
        atOnce: concurrency * maxScale,
        isPatient: patient === true,
        isRecorded: domains[domain].store !== 'postgres',
        ...(leadsTo === undefined ? {} : { leadsTo }),
      },
    ],
  ),
)
