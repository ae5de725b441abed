import { afterEach, beforeEach, expect, it } from 'vitest'
import { openServer, type Server } from '../server.ts'
import { readTrace } from './read-trace.ts'
import { createTraces, otlpPath, type Traces } from './traces.ts'

let server: Server
let traces: Traces
beforeEach(async () => {
  server = await openServer(0)
  traces = createTraces()
  server.use(traces.receiving((_, response) => void response.writeHead(204).end()))
})
afterEach(() => server.close())

const post = async (path: string, body: string, type = 'application/json') =>
  fetch(`http://127.0.0.1:${server.port}${path}`, { method: 'POST', headers: { 'content-type': type }, body })

const traceId = (n: number) => n.toString(16).padStart(32, '0')
const span = (n: number, more: object = {}) =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'relay' } }] },
        scopeSpans: [
          {
            spans: [
              {
                traceId: traceId(n),
                spanId: '00f067aa0ba902b7',
                name: 'publish order.placed',
                startTimeUnixNano: '1795763957075123000',
                endTimeUnixNano: '1795763957077623000',
                attributes: [{ key: 'messaging.message.id', value: { stringValue: 'x'.repeat(1_000) } }],
                ...more,
              },
            ],
          },
        ],
      },
    ],
  })

it('finds the spans of a trace, and of nothing else', async () => {
  await post(`${otlpPath}/v1/traces`, span(1, { status: { code: 2, message: 'ECONNREFUSED' } }))
  await post(`${otlpPath}/v1/traces`, span(2))
  await post(`${otlpPath}/v1/traces`, `{"traceId":"${traceId(1)}"}`)
  await post(`${otlpPath}/v1/traces`, span(1, { startTimeUnixNano: 'now' }))
  expect(readTrace(traces.with(traceId(1)), traceId(1))).toEqual([
    {
      id: '00f067aa0ba902b7',
      name: 'publish order.placed',
      service: 'relay',
      at: 1_795_763_957_075.123,
      ms: 2.5,
      failure: 'ECONNREFUSED',
      links: [],
    },
  ])
})

it('keeps the latest spans only', async () => {
  const padding = 'x'.repeat(900_000)
  for (let n = 1; n <= 6; n += 1) await post(`${otlpPath}/v1/traces`, span(n, { padding }))
  const isKept = (n: number) => traces.with(traceId(n)).length > 0
  expect([isKept(1), isKept(2), isKept(3), isKept(6)]).toEqual([false, false, true, true])
})

it('takes metrics without keeping them, and nothing that a page of another site could send', async () => {
  expect((await post(`${otlpPath}/v1/metrics`, span(1))).status).toBe(200)
  expect((await post(`${otlpPath}/v1/traces`, span(1), 'text/plain')).status).toBe(415)
  await post(`${otlpPath}/v1/traces`, span(1, { padding: 'x'.repeat(2_000_000) }))
  expect(traces.with(traceId(1))).toEqual([])
})

it('leaves all other requests to the functions', async () => {
  expect((await post('/reserve-stock', '{}')).status).toBe(204)
})
