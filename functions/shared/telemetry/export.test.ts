import { pino } from 'pino'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { freePort } from '../../../local/ports.ts'
import { openOtlpReceiver, type OtlpReceiver } from '../../../test/otlp-receiver.ts'
import { readConfig } from '../process/config.ts'
import { openTelemetry } from './open.ts'
import { useTelemetry, type Telemetry } from './telemetry.ts'

/** Sends to a real HTTP server, which stands in for the collector. */

const silent = pino({ level: 'silent' })
let receiver: OtlpReceiver
let opened: Telemetry[]

beforeEach(async () => {
  receiver = await openOtlpReceiver()
  opened = []
})
afterEach(async () => {
  receiver.answer = (response) => response.end()
  for (const telemetry of opened) await telemetry.close()
  useTelemetry(undefined)
  await receiver.close()
})

function open(env: Record<string, string> = {}): Telemetry {
  const config = readConfig({
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    // only what a test waits for is sent
    OTEL_METRIC_EXPORT_INTERVAL: '3600000',
    ...env,
  })
  const telemetry = openTelemetry(config, 'create-order', silent)!
  opened.push(telemetry)
  return telemetry
}

const dropped = (signal: string) =>
  receiver
    .points('zeroshop.telemetry.dropped')
    .filter(({ attributes }) => attributes['signal'] === signal)
    .reduce((sum, { value }) => sum + value, 0)

it('sends metrics as OTLP deltas in JSON', async () => {
  const began = Date.now()
  const telemetry = open({ OTEL_EXPORTER_OTLP_HEADERS: 'x-key=1', OTEL_RESOURCE_ATTRIBUTES: 'region=north' })
  telemetry.add('zeroshop.orders.cancelled', 2, { reason: 'declined' })
  telemetry.record('db.client.operation.duration', 0.005, { 'db.system.name': 'postgresql' })
  await telemetry.close()
  const [{ path, headers, body } = { path: '', headers: {}, body: '' }] = receiver.bodies
  expect(path).toBe('/v1/metrics')
  expect(headers).toMatchObject({ 'content-type': 'application/json', 'x-key': '1' })
  const { resourceMetrics } = JSON.parse(body)
  const [{ resource, scopeMetrics }] = resourceMetrics
  expect(resource.attributes).toContainEqual({ key: 'service.name', value: { stringValue: 'create-order' } })
  expect(resource.attributes).toContainEqual({ key: 'region', value: { stringValue: 'north' } })
  // it would keep the points of a function's processes from adding up
  expect(body).not.toContain('service.instance.id')
  const [counter, histogram] = scopeMetrics[0].metrics
  const times = {
    startTimeUnixNano: expect.stringMatching(/^\d{19}$/),
    timeUnixNano: expect.stringMatching(/^\d{19}$/),
  }
  expect(counter).toEqual({
    name: 'zeroshop.orders.cancelled',
    unit: '{order}',
    description: expect.any(String),
    sum: {
      aggregationTemporality: 1,
      isMonotonic: true,
      dataPoints: [
        { attributes: [{ key: 'reason', value: { stringValue: 'declined' } }], ...times, asInt: '2' },
      ],
    },
  })
  expect(histogram.histogram).toEqual({
    aggregationTemporality: 1,
    dataPoints: [
      {
        attributes: [{ key: 'db.system.name', value: { stringValue: 'postgresql' } }],
        ...times,
        count: '1',
        sum: 0.005,
        min: 0.005,
        max: 0.005,
        bucketCounts: ['0', '1', '0', '0', '0', '0', '0', '0', '0', '0'],
        explicitBounds: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
      },
    ],
  })
  const { startTimeUnixNano, timeUnixNano } = counter.sum.dataPoints[0]
  expect(Number(startTimeUnixNano) / 1e6).toBeGreaterThanOrEqual(began)
  expect(Number(timeUnixNano) / 1e6).toBeLessThanOrEqual(Date.now())
})

it('sends spans with their parents, links and failures', async () => {
  const telemetry = open()
  const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const other = '00-11111111111111111111111111111111-2222222222222222-01'
  const outer = telemetry.startSpan({ name: 'outer', kind: 'server', parent, links: [other, parent, null] })
  const inner = telemetry.within(outer, () =>
    telemetry.startSpan({ name: 'inner', kind: 'client', attributes: { number: 1.5, flag: true } }),
  )
  inner.end('ECONNRESET')
  outer.end()
  outer.end('too late')
  await telemetry.close()
  const [first, second] = receiver.spans()
  expect(first).toMatchObject({
    name: 'inner',
    kind: 3,
    traceId: '0af7651916cd43dd8448eb211c80319c',
    parentSpanId: outer.spanId,
    attributes: { number: 1.5, flag: true },
    status: { code: 2, message: 'ECONNRESET' },
  })
  expect(second).toMatchObject({
    name: 'outer',
    spanId: outer.spanId,
    parentSpanId: 'b7ad6b7169203331',
    links: [{ traceId: '11111111111111111111111111111111', spanId: '2222222222222222' }],
  })
  expect(second).not.toHaveProperty('status')
  expect(outer.traceparent).toBe(`00-${outer.traceId}-${outer.spanId}-01`)
})

it('does not record what a client does not want recorded, and passes that on', async () => {
  const telemetry = open()
  const span = telemetry.startSpan({
    name: 'unwanted',
    kind: 'server',
    parent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00',
  })
  expect(span.traceparent).toBe(`00-0af7651916cd43dd8448eb211c80319c-${span.spanId}-00`)
  span.end()
  await telemetry.close()
  expect(receiver.spans()).toEqual([])
})

it('sends metrics regularly, and counts each only once', async () => {
  const telemetry = open({ OTEL_METRIC_EXPORT_INTERVAL: '5' })
  telemetry.add('zeroshop.orders.placed', 1)
  await expect.poll(() => receiver.points('zeroshop.orders.placed')).toHaveLength(1)
  telemetry.add('zeroshop.orders.placed', 2)
  await expect.poll(() => receiver.points('zeroshop.orders.placed').map(({ value }) => value)).toEqual([1, 2])
})

it('sends what a collector did not take again, when it is back', async () => {
  receiver.answer = (response) => response.writeHead(503).end('away')
  const telemetry = open({ OTEL_METRIC_EXPORT_INTERVAL: '5' })
  telemetry.add('zeroshop.orders.placed', 3)
  telemetry.startSpan({ name: 'kept', kind: 'internal', parent: null }).end()
  await expect.poll(() => receiver.bodies.length).toBeGreaterThan(3)
  receiver.bodies.length = 0
  receiver.answer = (response) => response.end('{}')
  await expect.poll(() => receiver.points('zeroshop.orders.placed').map(({ value }) => value)).toEqual([3])
  await expect.poll(() => receiver.spans().map(({ name }) => name)).toEqual(['kept'])
  await telemetry.close()
  expect(dropped('spans')).toBe(0)
})

it('drops and counts spans beyond its room, and records nothing below them', async () => {
  const telemetry = open()
  for (let n = 0; n < 1_024; n++) telemetry.startSpan({ name: 'open', kind: 'internal', parent: null })
  const unrecorded = telemetry.startSpan({ name: 'one too many', kind: 'server', parent: null })
  expect(unrecorded.isSampled).toBe(false)
  expect(unrecorded.traceparent).toMatch(/-00$/)
  const below = telemetry.within(unrecorded, () => telemetry.startSpan({ name: 'below', kind: 'client' }))
  expect(below.isSampled).toBe(false)
  await telemetry.close()
  expect(dropped('spans')).toBe(1)
})

it.each([
  ['nonsense', (): OtlpReceiver['answer'] => (response) => response.writeHead(200).end('<html>')],
  [
    'a redirect',
    (): OtlpReceiver['answer'] => (response) => response.writeHead(302, { location: '/' }).end(),
  ],
  ['a closed connection', (): OtlpReceiver['answer'] => (response) => response.destroy()],
  [
    'without end',
    (): OtlpReceiver['answer'] => (response) => {
      const write = () => void (response.destroyed || response.write('x'.repeat(64 * 1024), write))
      write()
    },
  ],
])('goes on if the collector answers with %s', async (_, answer) => {
  receiver.answer = answer()
  const telemetry = open({ OTEL_METRIC_EXPORT_INTERVAL: '5' })
  telemetry.add('zeroshop.orders.placed')
  await expect.poll(() => receiver.bodies.length).toBeGreaterThan(0)
  receiver.answer = (response) => response.end('{}')
  telemetry.add('zeroshop.orders.confirmed')
  await expect.poll(() => receiver.points('zeroshop.orders.confirmed')).toHaveLength(1)
})

it('counts what the collector says it has rejected', async () => {
  receiver.answer = (response) => response.end(JSON.stringify({ partialSuccess: { rejectedSpans: '2' } }))
  const telemetry = open({ OTEL_METRIC_EXPORT_INTERVAL: '5' })
  telemetry.startSpan({ name: 'rejected', kind: 'internal', parent: null }).end()
  await expect.poll(() => dropped('spans')).toBeGreaterThanOrEqual(2)
})

it('drops what a silent collector may have taken, after its time', async () => {
  receiver.answer = () => {}
  const telemetry = open({ OTEL_METRIC_EXPORT_INTERVAL: '5', OTEL_EXPORTER_OTLP_TIMEOUT: '20' })
  telemetry.add('zeroshop.orders.placed')
  telemetry.startSpan({ name: 'lost', kind: 'internal', parent: null }).end()
  await expect.poll(() => dropped('spans')).toBe(1)
  await expect.poll(() => dropped('metrics')).toBeGreaterThan(0)
})

it.each(['silent', 'away'])('ends within a second if the collector is %s', async (state) => {
  receiver.answer = () => {}
  const telemetry = open(
    state === 'away' ? { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}` } : {},
  )
  telemetry.add('zeroshop.orders.placed')
  const began = performance.now()
  await telemetry.close()
  expect(performance.now() - began).toBeLessThan(1_000)
})
