import type { RequestListener, ServerOptions } from 'node:http'
import type { MongoClient } from 'mongodb'
import type postgres from 'postgres'
import type { Instruments } from './instruments.ts'
import type { Attributes, SpanKind } from './otlp.ts'

/*
 * What the rest of the code uses of telemetry. It loads nothing: without OTEL_EXPORTER_OTLP_ENDPOINT and LOG_REQUESTS,
 * `telemetry()` is undefined, and everything here costs a comparison. Like a log, it belongs to the process, and not to a
 * request, so it is not passed as a parameter.
 */

export interface SpanOptions {
  name: string
  kind: SpanKind
  /**
   * The traceparent of the parent. By default, the parent is the span that is current; there is none if it is null.
   */
  parent?: string | undefined | null
  attributes?: Attributes
  /** The traceparents of other spans that led to this one. */
  links?: readonly (string | null | undefined)[]
  /** When it began, in ms since 1970; now by default. */
  beganAt?: number
}

export interface Span {
  readonly traceId: string
  readonly spanId: string
  /** Its W3C traceparent, for what it causes elsewhere. */
  readonly traceparent: string
  /** Whether it is recorded. */
  readonly isSampled: boolean
  set(attributes: Attributes): void
  rename(name: string): void
  /** Links another span, unless it is the parent. */
  link(traceparent: string | null | undefined): void
  /**
   * Ends the span. Later calls do nothing.
   * @param failure why it failed: a class of errors, never a message, which may contain personal data
   */
  end(failure?: string, endedAt?: number): void
}

/** What is known of the request that is being handled. */
export interface Handled {
  requestId?: string | undefined
  function?: string | undefined
  route?: string | undefined
}

/** What measures. */
export type Meter = Pick<Instruments, 'add' | 'record'>

/** What a server does. */
export interface Serves {
  /** If it is only one function. */
  function?: string
  route?: string
  /** Whether it forwards requests with their headers, which then continue the trace. */
  isForwarded?: boolean
}

export interface Telemetry extends Omit<Instruments, 'collect' | 'putBack'> {
  startSpan: (options: SpanOptions) => Span
  /** Runs work in which a span is current; in no span if it is undefined. */
  within: <R>(span: Span | undefined, work: () => R) => R
  /** Returns the span that is current. */
  current: () => Span | undefined
  /** Says which function handles the present request. */
  handledBy: (handled: Handled) => void
  /** Returns the fields of each line of the log: the ids of the trace, of the span and of the request. */
  logFields: () => object
  /** Says that the process listens from now on. */
  listening: () => void
  /** What a server needs so that its responses say the ids of their traces at little cost. */
  serverOptions: Pick<ServerOptions, 'ServerResponse'>
  /** Wraps a listener: each request is a span, is measured, and continues the trace of its traceparent. */
  observed: (listener: RequestListener, serves?: Serves) => RequestListener
  /** Wraps a client: each query is measured, and a span of what runs it. */
  postgres: (client: postgres.Sql) => postgres.Sql
  /** Has each command measured. The client must monitor its commands. */
  mongodb: (client: MongoClient) => void
  /** Sends what has not been sent, within half a second. */
  close: () => Promise<void>
}

let active: Telemetry | undefined

/** Returns the telemetry of this process; undefined if it is off. */
export const telemetry = (): Telemetry | undefined => active

/** Switches telemetry on for this process, or off. */
export function useTelemetry(opened: Telemetry | undefined): void {
  active = opened
}

/** Runs work in a span, which fails if the work does. Without telemetry, it only runs the work. */
export async function inSpan<R>(
  options: SpanOptions,
  work: (span: Span | undefined) => Promise<R>,
): Promise<R> {
  const on = active
  if (on === undefined) return work(undefined)
  const span = on.startSpan(options)
  try {
    const result = await on.within(span, () => work(span))
    span.end()
    return result
  } catch (error) {
    span.end(errorType(error))
    throw error
  }
}

/** Returns the class of an error: its code or its name. Its message may contain personal data. */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

/** Runs work in which a span is current. */
export const within = <R>(span: Span | undefined, work: () => R): R =>
  active === undefined ? work() : active.within(span, work)

/** Wraps a listener, if telemetry is on. */
export const observed = (listener: RequestListener, serves?: Serves): RequestListener =>
  active === undefined ? listener : active.observed(listener, serves)

/** Sends what has not been sent. */
export const closeTelemetry = async (): Promise<void> => active?.close()
