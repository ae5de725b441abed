import { integer, jsonb, text } from 'drizzle-orm/pg-core'
import { events } from './tables.ts'

/** Returns the name of the view of a domain's state events. The migration creates it. */
export const stateViewOf = (domain: string) => `state_for_${domain}`

/**
 * The events with a version that a domain's projections are made from (`projects` in its domain.ts), as a
 * view that only this domain may read. A projection lags behind these events. Together they are never older
 * than the answer to the change that emitted the event.
 */
export const stateEventsOf = (domain: string) =>
  events
    .view(stateViewOf(domain), {
      type: text().notNull(),
      subject: text().notNull(),
      version: integer().notNull(),
      data: jsonb().notNull(),
    })
    .existing()
