import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

type Values = Record<string, unknown>

/** A span as the receiver got it, with plain attributes. Times are in ms. */
export interface ReceivedSpan {
  service: string
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  beganAt: number
  endedAt: number
  attributes: Values
  links: { traceId: string; spanId: string }[]
  status?: { code: number; message?: string }
}

/** A point as the receiver got it. */
export interface ReceivedPoint {
  service: string
  metric: string
  attributes: Values
  /** The value of a counter or gauge; the count of a histogram. */
  value: number
  point: Record<string, unknown>
}

/** Answers a request of the exporter. */
type Answer = (response: ServerResponse) => unknown

const accept: Answer = (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}')

/** Starts a receiver of OTLP/HTTP in JSON, which stands in for a collector. */
export async function openOtlpReceiver() {
  const bodies: { path: string; headers: Record<string, unknown>; body: string }[] = []
  const receiver = { answer: accept }
  const server = createServer((request, response) => {
    void text(request).then(
      (body) => {
        bodies.push({ path: request.url!, headers: request.headers, body })
        receiver.answer(response)
      },
      () => {},
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const of = (path: string) => bodies.filter((each) => each.path === path).map(({ body }) => JSON.parse(body))
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${port}`,
    /** The requests, in the order in which they came. */
    bodies,
    spans: (): ReceivedSpan[] => of('/v1/traces').flatMap(spansOf),
    points: (metric?: string): ReceivedPoint[] =>
      of('/v1/metrics')
        .flatMap(readPoints)
        .filter((point) => metric === undefined || point.metric === metric),
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  })
}

export type OtlpReceiver = Awaited<ReturnType<typeof openOtlpReceiver>>

/* oxlint-disable typescript/no-explicit-any -- the tests check what has come */
const readAttributes = (attributes: any[] = []): Values =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, readValue(value)]))

function readValue(value: any): unknown {
  if ('intValue' in value) return Number(value.intValue)
  return value.stringValue ?? value.boolValue ?? value.doubleValue
}

const ms = (nanos: string) => Number(BigInt(nanos) / 1000n) / 1000

/** Returns the spans of a request to `/v1/traces`. */
export const spansOf = ({ resourceSpans }: any): ReceivedSpan[] =>
  resourceSpans.flatMap(({ resource, scopeSpans }: any) =>
    scopeSpans.flatMap(({ spans }: any) =>
      spans.map(({ startTimeUnixNano, endTimeUnixNano, parentSpanId, links = [], ...span }: any) => ({
        ...span,
        // a collector writes an empty one
        ...(parentSpanId && { parentSpanId }),
        service: readAttributes(resource.attributes)['service.name'],
        beganAt: ms(startTimeUnixNano),
        endedAt: ms(endTimeUnixNano),
        attributes: readAttributes(span.attributes),
        links,
      })),
    ),
  )

const readPoints = ({ resourceMetrics }: any): ReceivedPoint[] =>
  resourceMetrics.flatMap(({ resource, scopeMetrics }: any) =>
    scopeMetrics.flatMap(({ metrics }: any) =>
      metrics.flatMap((metric: any) =>
        (metric.sum ?? metric.gauge ?? metric.histogram).dataPoints.map((point: any) => ({
          service: readAttributes(resource.attributes)['service.name'],
          metric: metric.name,
          attributes: readAttributes(point.attributes),
          value: Number(point.asInt ?? point.asDouble ?? point.count),
          point,
        })),
      ),
    ),
  )
/* oxlint-enable typescript/no-explicit-any */
