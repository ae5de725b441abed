import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { address, placeOrder, shipOrder } from '../demo/client/orders.ts'
import { waitForEntries } from '../demo/client/timeline.ts'
import { readConfig } from '../functions/shared/process/config.ts'
import { openTelemetry } from '../functions/shared/telemetry/open.ts'
import { useTelemetry, type Telemetry } from '../functions/shared/telemetry/telemetry.ts'
import { openOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from './otlp-receiver.ts'
import { startTestSystem, type TestSystem } from './system.ts'
import { labelOf, pathTo, rootsOf } from './traces.ts'

/** What a shop with a process for each function sends of an order, from placing to its completion. */

let receiver: OtlpReceiver
let gateway: Telemetry
let shop: TestSystem
let orderId: string
let spans: ReceivedSpan[]
/** The spans of the two traces. */
let placing: ReceivedSpan[]
let shipping: ReceivedSpan[]
let tokens: string[]

const canary = `canary-${randomUUID()}`
const account = { email: `${canary}@example.com`, password: `password-${canary}`, name: canary }

beforeAll(async () => {
  receiver = await openOtlpReceiver()
  const settings = {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_METRIC_EXPORT_INTERVAL: '200',
    LOG_REQUESTS: 'true',
  }
  gateway = openTelemetry(readConfig(settings), 'gateway')!
  shop = await startTestSystem(settings, false)
  const [customer, staff] = await Promise.all([shop.register(account), shop.staff()])
  ;({ id: orderId } = await placeOrder(customer, [{ sku: 'MUG-BLUE', quantity: 1 }], 'card_approved'))
  await waitForEntries(customer, orderId, 'order.confirmed')
  tokens = [await customer.token(), await staff.token()]
  await leaveCanaries(tokens[0]!)
  await shipOrder(staff, orderId)
  await waitForEntries(customer, orderId, 'stock.committed')
  await shop.stop()
  await gateway.close()
  useTelemetry(undefined)
  spans = receiver.spans()
  placing = traceOf('create-order')
  shipping = traceOf('ship-order')
})
afterAll(async () => {
  await receiver.close()
})

/** Returns the spans of the trace in which a function has changed the order. */
function traceOf(name: string) {
  const own = spans.find(
    ({ service, attributes }) => service === name && attributes['zeroshop.order.id'] === orderId,
  )!
  return spans.filter(({ traceId }) => traceId === own.traceId)
}

/** Sends secrets and personal data in every place that a request has. Most of the requests are refused. */
async function leaveCanaries(token: string) {
  const { system } = shop
  const authorization = `Bearer ${token}`
  const json = { authorization, 'content-type': 'application/json' }
  const at = (path: string) => `${system.url.replace('localhost', '127.0.0.1')}/api/v1${path}`
  const body = JSON.stringify({ deliveryAddress: { ...address, name: canary, street: canary }, note: canary })
  const answers = await Promise.all([
    fetch(at('/sessions'), {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ email: account.email, password: canary }),
    }),
    fetch(at('/sessions'), { method: 'POST', headers: json, body: `{"password":"${canary}"` }),
    fetch(at(`/orders/${orderId}`), { method: 'PATCH', headers: { ...json, 'if-match': '*' }, body }),
    fetch(at(`/orders/${canary}?${canary}=${canary}`), { headers: { authorization } }),
    fetch(at('/orders'), { headers: { authorization: `Bearer ${canary}`, cookie: canary } }),
    fetch(at('/orders'), {
      headers: { authorization, 'user-agent': canary, tracestate: `a=${canary}`, traceparent: canary },
    }),
    fetch(at(`/${canary}`), { method: 'POST', headers: json, body: canary }),
  ])
  expect(answers.map(({ status }) => status)).toEqual([401, 400, 200, 400, 401, 200, 404])
}

const labels = (trace: ReceivedSpan[]) => new Set(trace.map(labelOf))

describe('the trace of an order', () => {
  it('is one tree, whose spans all have their parents', () => {
    for (const trace of [placing, shipping]) {
      const roots = rootsOf(trace)
      expect(roots.map(labelOf)).toHaveLength(1)
      expect(roots[0]).toMatchObject({ service: 'gateway' })
    }
  })

  it('leads from the request to the confirmation through every hop', () => {
    expect(pathTo(placing, 'confirm-order: process payment.authorized')).toEqual([
      'gateway: POST /api/v1/orders',
      'create-order: POST /api/v1/orders',
      'relay: publish order.placed',
      'dispatcher: deliver reserve-stock',
      'reserve-stock: POST /',
      'reserve-stock: process order.placed',
      'relay: publish stock.reserved',
      'dispatcher: deliver authorize-payment',
      'authorize-payment: POST /',
      'authorize-payment: process stock.reserved',
      'relay: publish payment.authorized',
      'dispatcher: deliver confirm-order',
      'confirm-order: POST /',
      'confirm-order: process payment.authorized',
    ])
  })

  it('shows the queries, the payment provider, and what was woken', () => {
    expect([...labels(placing)]).toEqual(
      expect.arrayContaining([
        'create-order: WITH postgresql',
        'confirm-order: WITH postgresql',
        'relay: publish order.confirmed',
        'dispatcher: wake authorize-payment',
        'dispatcher: wake confirm-order',
      ]),
    )
    expect(pathTo(placing, 'payment-sandbox: POST /v1/authorizations').slice(-3)).toEqual([
      'authorize-payment: process stock.reserved',
      'authorize-payment: payment provider: authorize',
      'payment-sandbox: POST /v1/authorizations',
    ])
  })

  it('shows the start of a process below what waited for it', () => {
    expect(pathTo(placing, 'create-order: cold start create-order')).toEqual([
      'gateway: POST /api/v1/orders',
      'create-order: cold start create-order',
    ])
    expect(pathTo(placing, 'confirm-order: cold start confirm-order').slice(-2)).toEqual([
      'dispatcher: wake confirm-order',
      'confirm-order: cold start confirm-order',
    ])
  })

  it('goes on to the completion in the trace of the shipment, which is linked to the placing', () => {
    expect(pathTo(shipping, 'complete-order: process payment.captured').slice(0, 2)).toEqual([
      'gateway: POST /api/v1/orders/{id}/shipment',
      'ship-order: POST /api/v1/orders/{id}/shipment',
    ])
    const placed = placing[0]!.traceId
    for (const label of [
      'ship-order: POST /api/v1/orders/{id}/shipment',
      'complete-order: process payment.captured',
    ])
      expect(shipping.find((span) => labelOf(span) === label)!.links.map((l) => l.traceId)).toContain(placed)
    expect(labels(shipping)).toContain('payment-sandbox: POST /v1/payments/:id/capture')
    expect(labels(shipping)).toContain('commit-stock: process order.completed')
  })
})

describe('the metrics of an order', () => {
  const sumOf = (metric: string) => receiver.points(metric).reduce((sum, { value }) => sum + value, 0)

  it('count each of its steps once', () => {
    expect(
      ['placed', 'confirmed', 'completed', 'cancelled'].map((step) => sumOf(`zeroshop.orders.${step}`)),
    ).toEqual([1, 1, 1, 0])
    expect(receiver.points('zeroshop.revenue.captured')).toMatchObject([
      { value: 1290, attributes: { currency: 'EUR' }, service: 'capture-payment' },
    ])
    const steps = receiver
      .points('zeroshop.order.duration')
      .map(({ attributes }) => String(attributes['step']))
    expect(new Set(steps)).toEqual(new Set(['confirmed', 'shipped', 'completed']))
    expect(steps).toHaveLength(3)
  })

  it('show the outbox, the reactions and the functions', () => {
    expect(receiver.points('zeroshop.outbox.lag').length).toBeGreaterThan(0)
    const lags = receiver.points('zeroshop.consumer.lag').map(({ attributes }) => attributes['reaction'])
    expect(new Set(lags)).toContain('confirm-order')
    expect(receiver.points('zeroshop.dead_letters').every(({ value }) => value === 0)).toBe(true)
    expect(receiver.points('faas.coldstarts').map(({ service }) => service)).toContain('create-order')
    expect(
      receiver
        .points('http.server.request.duration')
        .find(
          ({ service, attributes }) =>
            service === 'create-order' && attributes['http.response.status_code'] === 201,
        )?.attributes,
    ).toMatchObject({
      'zeroshop.function': 'create-order',
      'http.route': '/api/v1/orders',
      'http.request.method': 'POST',
    })
  })
})

describe('the log of an order', () => {
  it('has a line for each request, with the ids of its trace', () => {
    const line = shop.lines.find(
      (line) => line.startsWith('create-order') && line.includes('"msg":"request"'),
    )!
    const { spanId } = placing.find(
      ({ service, name }) => service === 'create-order' && name.startsWith('POST'),
    )!
    expect(JSON.parse(line.slice('create-order '.length))).toMatchObject({
      function: 'create-order',
      method: 'POST',
      route: '/api/v1/orders',
      status: 201,
      trace_id: placing[0]!.traceId,
      span_id: spanId,
      request_id: expect.stringMatching(/^[\w-]{36}$/),
    })
  })
})

describe('secrets and personal data', () => {
  it('are in no log, no metric and no span of any process', () => {
    const everything = `${shop.lines.join('\n')}\n${receiver.bodies.map(({ body }) => body).join('\n')}`
    // it is what was sent
    expect(everything).toContain(orderId)
    const forbidden = [canary, ...tokens, 'card_approved', address.street, address.city, 'whsec_']
    expect(forbidden.filter((secret) => everything.includes(secret))).toEqual([])
  })
})
