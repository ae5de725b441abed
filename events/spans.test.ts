import { uuidv7 } from 'uuidv7'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import * as z from 'zod'
import { readConfig } from '../functions/shared/process/config.ts'
import type { LoadedReaction } from '../functions/shared/process/entry.ts'
import { openTelemetry } from '../functions/shared/telemetry/open.ts'
import { useTelemetry, type Telemetry } from '../functions/shared/telemetry/telemetry.ts'
import { deliveryKey } from '../test/deliveries.ts'
import { openOtlpReceiver, type OtlpReceiver } from '../test/otlp-receiver.ts'
import { openReceiver } from './receive.ts'
import { createSigner, createVerifier } from './signature.ts'

let receiver: OtlpReceiver
let telemetry: Telemetry
const handled: string[] = []

beforeAll(async () => {
  receiver = await openOtlpReceiver()
  const settings = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_METRIC_EXPORT_INTERVAL: '3600000' }
  telemetry = openTelemetry(readConfig(settings), 'track-order', pino({ level: 'silent' }))!
})
afterAll(async () => {
  useTelemetry(undefined)
  await receiver.close()
})

const reaction = {
  row: { name: 'track-order', domain: 'orders', on: ['stock.released'] },
  run: {
    name: 'track-order',
    handle: async ({ id, traceparent }: { id: string; traceparent: string }) => {
      handled.push(traceparent)
      if (id === failing) throw new TypeError('card_secret')
    },
  },
  emits: {},
  takes: { 'stock.released': { summary: '', data: z.strictObject({ orderId: z.string() }) } },
} as unknown as LoadedReaction

const failing = uuidv7()
const contextOf = (digit: string) => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`

it('handles each event of a batch in its own trace, linked to the request', async () => {
  const log = pino({ level: 'silent' })
  const receive = openReceiver(reaction, { deps: {}, verify: createVerifier([deliveryKey]), log })
  const events = ['1', '2', '3'].map((digit) => ({
    specversion: '1.0',
    id: digit === '3' ? failing : uuidv7(),
    type: 'dev.zeroshop.stock.released',
    source: '/stock',
    traceparent: contextOf(digit),
    data: { orderId: uuidv7() },
  }))
  const body = Buffer.from(JSON.stringify(events))
  const headers = {
    'content-type': 'application/cloudevents-batch+json',
    ...createSigner([deliveryKey])('a batch', body),
  }
  const request = telemetry.startSpan({ name: 'POST /', kind: 'server', parent: contextOf('9') })
  const answer = await telemetry.within(request, () => receive({ headers, body }))
  request.end()
  await telemetry.close()
  expect(answer.status).toBe(200)
  const spans = receiver.spans().filter(({ name }) => name === 'process stock.released')
  expect(spans.map(({ traceId, parentSpanId }) => `${traceId[0]} below ${parentSpanId?.[0]}`)).toEqual(
    expect.arrayContaining(['1 below 1', '2 below 2', '3 below 3']),
  )
  expect(spans).toHaveLength(3)
  for (const { links } of spans) expect(links).toEqual([{ traceId: request.traceId, spanId: request.spanId }])
  // what an event causes is below its own span
  expect(new Set(handled)).toEqual(new Set(spans.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`)))
  const failed = spans.find(({ traceId }) => traceId.startsWith('3'))
  expect(failed).toMatchObject({ status: { code: 2, message: 'TypeError' } })
  const durations = receiver.points('messaging.process.duration')
  expect(durations.map(({ value, attributes }) => [value, attributes['error.type']])).toEqual([
    [2, undefined],
    [1, 'TypeError'],
  ])
  // a message may contain personal data
  expect(JSON.stringify(receiver.bodies)).not.toContain('card_secret')
})
