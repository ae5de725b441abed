import type { SQL } from 'drizzle-orm'
import type { PgInsertValue } from 'drizzle-orm/pg-core'
import { uuidv7 } from 'uuidv7'
import { sourceOf, type EventData, type EventSpecs, type EventType } from './event.ts'
import type { outbox } from './tables.ts'

/** On whose behalf a transaction runs: a function, and the request or event that it handles. */
export interface Cause {
  domain: string
  /** The event types that the function emits, as its row says. */
  emits: EventSpecs
  /** W3C Trace Context of the request or event. */
  traceparent?: string | undefined
}

export interface EmitOptions {
  /** When the event is to be published, such as `after(ms)` by PostgreSQL's clock; at once if it is not set. */
  at?: Date | SQL
}

/** Puts an event into the outbox of a transaction: it is published if and only if that commits. */
export type Emit = <T extends EventType>(
  type: T,
  subject: string,
  data: EventData<T>,
  options?: EmitOptions,
) => Promise<void>

/**
 * The outbox row of an event.
 * @param subject the id (or SKU) of what it is about
 * @throws if the function may not emit the type, or the data does not fit it: nothing that no reaction can read is ever
 *   committed
 */
export function outboxRow<T extends EventType>(
  { domain, emits, traceparent }: Cause,
  type: T,
  subject: string,
  data: EventData<T>,
  { at }: EmitOptions = {},
) {
  const spec = emits[type]
  if (spec === undefined) throw new Error(`${type} is not among the events that the function emits: add it`)
  return {
    id: uuidv7(),
    type: type as string,
    source: sourceOf(domain),
    subject,
    data: spec.data.parse(data),
    time: new Date(),
    ...(at === undefined ? {} : { due: at }),
    ...(traceparent === undefined ? {} : { traceparent }),
  } satisfies PgInsertValue<typeof outbox>
}
