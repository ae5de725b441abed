/**
 * OpenTelemetry's wire format: OTLP in JSON, as it is sent over HTTP
 * (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). Integers of 64 bits are strings, and times are
 * nanoseconds since 1970.
 */
import type { Collected, CounterPoint, HistogramPoint } from './instruments.ts'
import type { Series } from './series.ts'

export type Value = string | number | boolean | undefined
export type Attributes = Readonly<Record<string, Value>>

/** The numbers of OTLP for each kind of span. */
export const spanKinds = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const
export type SpanKind = keyof typeof spanKinds

/** The number of OTLP for deltas. */
const delta = 1
/** The number of OTLP for the status of a span that has failed. */
const failed = 2

/** Where a span stands: the ids of its trace and of itself. */
export interface Place {
  traceId: string
  spanId: string
}

/** A span that has ended. Times are in ms since 1970. */
export interface EndedSpan extends Place {
  parentId: string | undefined
  name: string
  kind: SpanKind
  beganAt: number
  endedAt: number
  /** No two of them have the same name. */
  attributes: readonly Attributes[]
  links: readonly Place[]
  /** Why it failed; undefined if it has not. */
  failure: string | undefined
}

const scope = { name: 'zeroshop' }

/** Returns a time in ms as nanoseconds, with microseconds. */
const nanos = (ms: number) => `${Math.round(ms * 1000)}000`

function encodeValue(value: Value) {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value }
}

export const encodeAttributes = (attributes: Attributes) =>
  Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: encodeValue(value) }],
  )

/** The encoded text of attributes that never change. */
const encoded = new WeakMap<Attributes, string>()

/** Returns the elements of the array of attributes, with a comma after each. */
function elementsOf(attributes: Attributes): string {
  const known = encoded.get(attributes)
  if (known !== undefined) return known
  const text = encodeAttributes(attributes)
    .map((each) => `${JSON.stringify(each)},`)
    .join('')
  if (Object.isFrozen(attributes)) encoded.set(attributes, text)
  return text
}

/**
 * Encodes a span. Text takes less memory than what it is made of, so this is done when it ends; and it is done for every
 * request, so most of the text is put together by hand.
 */
export function encodeSpan(span: EndedSpan): string {
  const { traceId, spanId, parentId, kind, beganAt, endedAt, links, failure } = span
  const parent = parentId === undefined ? '' : `"parentSpanId":"${parentId}",`
  const status =
    failure === undefined ? '' : `,"status":${JSON.stringify({ code: failed, message: failure })}`
  const linked =
    links.length === 0
      ? ''
      : `,"links":${JSON.stringify(links.map(({ traceId, spanId }) => ({ traceId, spanId })))}`
  const attributes = span.attributes.map(elementsOf).join('').slice(0, -1)
  return `{"traceId":"${traceId}","spanId":"${spanId}",${parent}"name":${JSON.stringify(span.name)},"kind":${spanKinds[kind]},"startTimeUnixNano":"${nanos(beganAt)}","endTimeUnixNano":"${nanos(Math.max(beganAt, endedAt))}","attributes":[${attributes}]${linked}${status}}`
}

/**
 * Returns the parts of the body of a request to `/v1/traces`.
 * @param spans encoded spans, with a comma after each
 */
export const encodeSpans = (resource: Attributes, spans: Uint8Array): (string | Uint8Array)[] => [
  `{"resourceSpans":[{"resource":${encodeResource(resource)},"scopeSpans":[{"scope":${JSON.stringify(scope)},"spans":[`,
  spans.subarray(0, -1),
  ']}]}]}',
]

/**
 * Returns the body of a request to `/v1/metrics`.
 * @param since when the deltas begin, and `now` when they end, in ms since 1970
 */
export const encodeMetrics = (
  resource: Attributes,
  collected: readonly Collected[],
  { since, now }: { since: number; now: number },
): string => {
  const times = { startTimeUnixNano: nanos(since), timeUnixNano: nanos(now) }
  const metrics = collected.map((each) => {
    const { unit, description } = each.metric
    return { name: each.name, unit, description, ...encodePoints(each, times) }
  })
  return `{"resourceMetrics":[{"resource":${encodeResource(resource)},"scopeMetrics":[{"scope":${JSON.stringify(scope)},"metrics":${JSON.stringify(metrics)}}]}]}`
}

const encodeResource = (resource: Attributes) => JSON.stringify({ attributes: encodeAttributes(resource) })

interface Times {
  startTimeUnixNano: string
  timeUnixNano: string
}

function encodePoints(collected: Collected, times: Times) {
  if (collected.kind === 'histogram') {
    const { bounds } = collected.metric as typeof collected.metric & { kind: 'histogram' }
    const dataPoints = collected.series.map((series) => histogramPoint(series, bounds, times))
    return { histogram: { aggregationTemporality: delta, dataPoints } }
  }
  if (collected.kind === 'gauge') {
    const { timeUnixNano } = times
    return { gauge: { dataPoints: collected.series.map((series) => numberPoint(series, { timeUnixNano })) } }
  }
  const dataPoints = collected.series.map((series) => numberPoint(series, times))
  return { sum: { aggregationTemporality: delta, isMonotonic: true, dataPoints } }
}

const numberPoint = ({ attributes, point: { value } }: Series<CounterPoint>, times: Partial<Times>) => ({
  attributes: encodeAttributes(attributes),
  ...times,
  ...(Number.isInteger(value) ? { asInt: String(value) } : { asDouble: value }),
})

const histogramPoint = (
  { attributes, point }: Series<HistogramPoint>,
  explicitBounds: readonly number[],
  times: Times,
) => ({
  attributes: encodeAttributes(attributes),
  ...times,
  count: String(point.count),
  sum: point.sum,
  min: point.min,
  max: point.max,
  bucketCounts: point.buckets.map(String),
  explicitBounds,
})
