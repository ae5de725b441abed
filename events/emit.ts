import type { SQL } from 'drizzle-orm'
import type { PgInsertValue } from 'drizzle-orm/pg-core'
import { uuidv7 } from 'uuidv7'
import type { Actor } from '../functions/shared/auth/actor.ts'
import { sourceOf, versionIn, type EventData, type EventSpecs, type EventType } from './event.ts'
import type { outbox } from './tables.ts'

/** The function that runs a transaction, and the trace of the request or event that it handles. */
export interface Cause {
  domain: string
  /** The event types that the function may emit, from its row. */
  emits: EventSpecs
  /** W3C Trace Context of the request or event. */
  traceparent?: string | undefined
  /** Who makes the request; `system` for a reaction. */
  actor?: Actor
}

export interface EmitOptions {
  /** When to publish the event, such as `after(ms)` by PostgreSQL's clock; at once if not set. */
  at?: Date | SQL
  /** Who did it, if not whoever runs the function. */
  actor?: Actor | undefined
}

/** Adds an event to the outbox in a transaction. It is published if and only if the transaction commits. */
export type Emit = <T extends EventType>(
  type: T,
  subject: string,
  data: EventData<T>,
  options?: EmitOptions,
) => Promise<void>

/**
 * Returns the outbox row of an event.
 * @param subject the id (or SKU) of the thing that the event is about
 * @throws if the function may not emit the type, or the data does not match the schema, so that no event is
 *   committed that reactions cannot read
 */
export function outboxRow<T extends EventType>(
  cause: Cause,
  type: T,
  subject: string,
  data: EventData<T>,
  { at, actor = cause.actor ?? 'system' }: EmitOptions = {},
) {
  const { domain, emits, traceparent } = cause
  const spec = emits[type]
  if (spec === undefined) throw new Error(`${type} is not among the events that the function emits: add it`)
  const parsed = spec.data.parse(data)
  const version = versionIn(parsed)
  return {
    id: uuidv7(),
    type: type as string,
    source: sourceOf(domain),
    subject,
    data: parsed,
    time: new Date(),
    ...(version === undefined ? {} : { version }),
    actor,
    ...(at === undefined ? {} : { due: at }),
    ...(traceparent === undefined ? {} : { traceparent }),
  } satisfies PgInsertValue<typeof outbox>
}
