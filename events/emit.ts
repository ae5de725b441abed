import type postgres from 'postgres'
import { uuidv7 } from 'uuidv7'
import type { Actor } from '../functions/shared/auth/actor.ts'
import { sourceOf, versionIn, type EventData, type EventSpecs, type EventType } from './event.ts'

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
  /** Publish the event so many ms later, by PostgreSQL's clock; at once if not set. */
  afterMs?: number
  /** Who did it, if not whoever runs the function. */
  actor?: Actor | undefined
  /** The event that it results from, whose trace it carries, if the transaction handles several. */
  causedBy?: { traceparent?: string | undefined }
}

/**
 * Adds an event to the outbox in a transaction. It is published if and only if the transaction commits. Events that are
 * emitted at the same time are written in one statement.
 */
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
  { afterMs = 0, actor = cause.actor ?? 'system', causedBy = cause }: EmitOptions = {},
) {
  const { domain, emits } = cause
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
    version: version ?? null,
    actor,
    traceparent: causedBy.traceparent ?? null,
    afterMs,
  }
}

export type OutboxRow = ReturnType<typeof outboxRow>

/** Writes events into the outbox, in one statement. */
export const writeEvents = (tx: postgres.TransactionSql, rows: readonly OutboxRow[]) => tx`
  insert into events.outbox (id, type, source, subject, data, time, version, actor, traceparent, due)
  select id, type, source, subject, data, time, version, actor, traceparent, now() + "afterMs" * interval '1 millisecond'
  from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as new (
    id uuid, type text, source text, subject text, data jsonb, time timestamptz, version integer, actor text,
    traceparent text, "afterMs" bigint)`
