import * as z from 'zod'
import type { TraceSpan } from './wire.ts'

/** The most spans of a trace that are shown. */
const most = 500

const Attribute = z.object({
  key: z.string(),
  value: z.object({ stringValue: z.string().optional(), intValue: z.string().optional() }),
})
/** In nanoseconds since 1970. */
const Time = z.string().regex(/^\d{1,20}$/)
/** What is read of OTLP. */
const Body = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: z.array(Attribute) }),
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              traceId: z.string(),
              spanId: z.string(),
              parentSpanId: z.string().optional(),
              name: z.string(),
              startTimeUnixNano: Time,
              endTimeUnixNano: Time,
              attributes: z.array(Attribute).default([]),
              links: z.array(z.object({ traceId: z.string() })).default([]),
              status: z.object({ message: z.string().optional() }).optional(),
            }),
          ),
        }),
      ),
    }),
  ),
})

/** Returns the spans of a trace, oldest first. What is not OTLP is left out. */
export function readTrace(bodies: readonly Buffer[], traceId: string): TraceSpan[] {
  const found = new Map<string, TraceSpan>()
  for (const body of bodies)
    for (const { resource, scopeSpans } of parse(body)) {
      const service = valueOf(resource.attributes, 'service.name') ?? ''
      for (const span of scopeSpans.flatMap(({ spans }) => spans))
        if (span.traceId === traceId) found.set(span.spanId, toSpan(span, service))
    }
  return [...found.values()].toSorted((a, b) => a.at - b.at).slice(0, most)
}

type Received = z.infer<typeof Body>['resourceSpans'][number]

function parse(body: Buffer): Received[] {
  try {
    return Body.parse(JSON.parse(body.toString())).resourceSpans
  } catch {
    return []
  }
}

function toSpan(span: Received['scopeSpans'][number]['spans'][number], service: string): TraceSpan {
  const { spanId, parentSpanId, name, attributes, links, status } = span
  const at = inMs(span.startTimeUnixNano)
  const httpStatus = valueOf(attributes, 'http.response.status_code')
  const others = [...new Set(links.map(({ traceId }) => traceId))].filter((id) => id !== span.traceId)
  return {
    id: spanId,
    name,
    service,
    at,
    ms: Math.max(0, inMs(span.endTimeUnixNano) - at),
    links: others,
    ...(parentSpanId !== undefined && { parent: parentSpanId }),
    ...(httpStatus !== undefined && { status: Number(httpStatus) }),
    ...(status?.message !== undefined && { failure: status.message }),
  }
}

function valueOf(attributes: z.infer<typeof Attribute>[], name: string): string | undefined {
  const value = attributes.find(({ key }) => key === name)?.value
  return value?.stringValue ?? value?.intValue
}

/** Nanoseconds have more digits than a number. */
const inMs = (nanos: string) => Number(BigInt(nanos) / 1_000n) / 1_000
