import type { ReactionRow } from '../functions/shared/domain.ts'
import { reactions } from '../functions/table.ts'

export interface Consumer {
  on: readonly string[]
  leadsTo?: string
  /** How many deliveries its instances can handle concurrently. */
  atOnce: number
}

/** The dispatcher's data about each reaction, by its name. */
export const consumers: Readonly<Record<string, Consumer>> = Object.fromEntries(
  Object.entries(reactions as Record<string, ReactionRow>).map(
    ([name, { on, leadsTo, concurrency, maxScale }]) => [
      name,
      { on, atOnce: concurrency * maxScale, ...(leadsTo === undefined ? {} : { leadsTo }) },
    ],
  ),
)
