import { AsyncLocalStorage } from 'node:async_hooks'
import type { Handled, Span } from './telemetry.ts'

/** What is current in a request: the span, and what is known of the request. */
interface Current {
  span: Span | undefined
  handled: Handled
}

const storage = new AsyncLocalStorage<Current>()

export const currentSpan = (): Span | undefined => storage.getStore()?.span

/** Runs work in which the span is current. */
export function within<R>(span: Span | undefined, work: () => R): R {
  return storage.run({ span, handled: storage.getStore()?.handled ?? {} }, work)
}

/** Runs work that begins to handle a request. */
export const handling = <R>(span: Span, handled: Handled, work: () => R): R =>
  storage.run({ span, handled }, work)

/** Runs work that belongs to no request, such as sending. */
export const outside = <R>(work: () => R): R => storage.exit(work)

/** Adds to what is known of the present request. */
export function handledBy(handled: Handled): void {
  const current = storage.getStore()
  if (current !== undefined) Object.assign(current.handled, handled)
}

export function logFields(): object {
  const current = storage.getStore()
  if (current?.span === undefined) return {}
  const { span, handled } = current
  return {
    trace_id: span.traceId,
    span_id: span.spanId,
    ...(handled.requestId !== undefined && { request_id: handled.requestId }),
  }
}
