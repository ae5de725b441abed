/**
 * The spans of an event on its way: `publish` in the relay, `deliver` in the dispatcher, `process` in a reaction. Each is
 * the child of the one before, and what a reaction emits is caused by its `process`. Without telemetry, all this only runs
 * the work.
 */
import type { CloudEventV1 } from 'cloudevents'
import { traceparentOf } from '../functions/shared/http/trace-context.ts'
import { inSpan, telemetry, type Span } from '../functions/shared/telemetry/telemetry.ts'
import type { Attributes } from '../functions/shared/telemetry/otlp.ts'
import type { Emitted } from './encode.ts'
import { subjectOf } from './event.ts'

/** How long after an event was emitted it begins a new trace, which is linked to the first, in ms. */
const sameTraceMs = 10 * 60_000

const attributesOf = (operation: string, type: string, more: Attributes): Attributes => ({
  'messaging.system': 'nats',
  'messaging.operation.name': operation,
  'messaging.destination.name': subjectOf(type),
  ...more,
})

/** Publishes an event in a span. What the event causes is below it. */
export function publishing<R>(row: Emitted, publish: (row: Emitted) => Promise<R>): Promise<R> {
  const isLate = Date.now() - row.time.getTime() > sameTraceMs
  const options = {
    name: `publish ${row.type}`,
    kind: 'producer' as const,
    parent: isLate ? null : row.traceparent,
    links: [row.traceparent],
    attributes: attributesOf('publish', row.type, { 'messaging.message.id': row.id }),
  }
  return inSpan(options, (span) =>
    publish(span === undefined ? row : { ...row, traceparent: span.traceparent }),
  )
}

/** An event, as far as the dispatcher reads it. */
interface Delivered {
  id: string
  type: string
  traceparent: string | undefined
}

/** Starts the span of a delivery of an event. */
export const delivering = (
  reaction: string,
  { id, type, traceparent }: Delivered,
  events: number,
): Span | undefined =>
  telemetry()?.startSpan({
    name: `deliver ${reaction}`,
    kind: 'consumer',
    parent: traceparent ?? null,
    attributes: attributesOf('deliver', type, {
      'messaging.message.id': id,
      'messaging.batch.message_count': events,
      'zeroshop.reaction': reaction,
    }),
  })

/** What a reaction is about to handle. */
interface Processed {
  reaction: string
  /** The type of the event; undefined if the reaction does not run on it. */
  type: string | undefined
  received: CloudEventV1<unknown>
  /** Whether it is the only event of its delivery. */
  isAlone: boolean
}

/**
 * Handles an event in a span: below the request if the event is alone, otherwise below its own `publish`, because a
 * request with several events belongs to the trace of the first.
 * @param handle gets the traceparent of what it causes, and says what failed
 */
export async function processing<R>(
  { reaction, type = 'unknown', received, isAlone }: Processed,
  handle: (traceparent: string | undefined, failed: (failure: string) => void) => Promise<R>,
): Promise<R> {
  const on = telemetry()
  if (on === undefined) return handle(undefined, () => {})
  const began = performance.now()
  const request = on.current()?.traceparent
  const own = traceparentOf(received['traceparent'])
  const { orderId } = (received.data ?? {}) as { orderId?: unknown }
  const common = { 'zeroshop.reaction': reaction }
  const span = on.startSpan({
    name: `process ${type}`,
    kind: 'consumer',
    parent: (isAlone ? (request ?? own) : (own ?? request)) ?? null,
    links: [request, own],
    attributes: attributesOf('process', type, {
      ...common,
      'messaging.message.id': received.id,
      'zeroshop.order.id': typeof orderId === 'string' ? orderId : undefined,
    }),
  })
  let failure: string | undefined
  const failed = (why: string) => void (failure = why)
  try {
    return await on.within(span, () => handle(span.traceparent, failed))
  } finally {
    on.record('messaging.process.duration', (performance.now() - began) / 1000, {
      ...common,
      'messaging.system': 'nats',
      'messaging.operation.name': 'process',
      'messaging.destination.name': subjectOf(type),
      'error.type': failure,
    })
    span.end(failure)
  }
}
