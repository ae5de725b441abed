import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { secretsFolder } from '../../compose/secrets.ts'
import { isOfCluster, selectorsIn } from '../../grafana/query-names.ts'
import { newOrder } from '../../demo/client/orders.ts'
import type { Person } from '../../demo/client/shop.ts'
import { waitForEntries } from '../../demo/client/timeline.ts'
import type { TestClient } from '../client.ts'
import type { ReceivedSpan } from '../otlp-receiver.ts'
import { labelOf, pathTo, rootsOf } from '../traces.ts'
import { ask, findLines, hasHad, listenTo, patience, readRules, readSpans, seen, seriesOf } from './ask.ts'
import { endOrders, endUnpaidOrders } from './endings.ts'
import * as faults from './faults.ts'
import { clusterQueries, logQueries, queries } from './queries.ts'
import { shop, start } from './shop.ts'

/** A shop in containers with all that watches it, in which every order ends and much goes wrong. */

const canary = randomUUID()
/** What a client sends and nobody may see again. */
const secrets = {
  password: `password-${canary}`,
  token: `token-${canary}`,
  cardNumber: '5555555555554444',
  street: `Street ${canary}`,
  note: `note-${canary}`,
}

let client: TestClient
let customer: Person
let orderId: string
let traceId: string

beforeAll(async () => {
  await start()
  client = await shop.client()
  customer = await client.register({ password: secrets.password })
  const order = newOrder([{ sku: 'MUG-BLUE', quantity: 1 }])
  const deliveryAddress = { ...order.deliveryAddress, street: secrets.street }
  const { data, response } = await customer.POST('/orders', { body: { ...order, deliveryAddress } })
  orderId = data!.id
  traceId = response.headers.get('x-trace-id')!
  await waitForEntries(customer, orderId, 'order.confirmed')
}, 600_000)
afterAll(() => shop.remove(), 120_000)

describe('the trace of an order', () => {
  it('leads through every hop to the confirmation, in one tree', async () => {
    let trace: ReceivedSpan[] = []
    const path = async () => {
      trace = (await readSpans()).filter((span) => span.traceId === traceId)
      return {
        path: pathTo(trace, 'confirm-order: process payment.authorized'),
        roots: rootsOf(trace).map(labelOf),
      }
    }
    await expect.poll(path, patience).toEqual({
      path: [
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
      ],
      roots: ['create-order: POST /api/v1/orders'],
    })
    expect(trace.map(labelOf)).toEqual(
      expect.arrayContaining([
        'create-order: WITH postgresql',
        'confirm-order: WITH postgresql',
        'relay: publish order.confirmed',
      ]),
    )
    expect(pathTo(trace, 'payment-sandbox: POST /v1/authorizations').slice(-3)).toEqual([
      'authorize-payment: process stock.reserved',
      'authorize-payment: payment provider: authorize',
      'payment-sandbox: POST /v1/authorizations',
    ])
  })

  it('leads to what each function has said about it', async () => {
    const speakers = async () => (await findLines(`trace_id:="${traceId}"`)).map((line) => line['function'])
    await expect
      .poll(speakers, patience)
      .toEqual(
        expect.arrayContaining([
          'create-order',
          'reserve-stock',
          'authorize-payment',
          'payment-sandbox',
          'confirm-order',
        ]),
      )
  })
})

it('no request fails while the collector is away, and functions tell later what they have dropped', async () => {
  expect(await faults.loseCollector(customer, orderId)).toEqual(new Set([200]))
})

it('orders are counted by how they end', async () => {
  await endOrders(client)
  const reasons = async () =>
    new Set((await ask('sum by (reason) (zeroshop_orders_cancelled_total)')).map(({ reason }) => reason))
  const expected = new Set(['not-shipped-in-time', 'on-request', 'out-of-stock', 'payment'])
  await expect.poll(reasons, patience).toEqual(expected)
  for (const series of ['placed', 'confirmed', 'completed']) await seen(`zeroshop_orders_${series}_total > 0`)
  await seen('zeroshop_revenue_refunded_total > 0')
})

describe('an alert comes to the webhook, and is resolved:', () => {
  it('a function that is slow', async () => {
    const alert = await listenTo({ alertname: 'RequestsAreSlow', severity: 'page' })
    await faults.standStill(customer, orderId, alert.becomes('firing'))
    await expect(alert.becomes('resolved')).resolves.toBeUndefined()
  }, 240_000)

  it('a dead letter', async () => {
    const alert = await listenTo({ alertname: 'DeadLetter', reaction: 'authorize-payment' })
    await faults.losePayments()
    await endUnpaidOrders(client)
    await alert.becomes('firing')
    await seen('zeroshop_orders_cancelled_total{reason="not-confirmed-in-time"}')
    await seen('zeroshop_orders_cancelled_total{reason="account-deleted"}')
    await faults.mendPayments()
    await expect(alert.becomes('resolved')).resolves.toBeUndefined()
  }, 240_000)

  it('a store that is away', async () => {
    const alert = await listenTo({ alertname: 'StoreIsAway', store: 'PostgreSQL' })
    await shop.compose('stop', 'postgres')
    const body = newOrder([{ sku: 'MUG-BLUE', quantity: 1 }])
    const token = await customer.token()
    const place = async () => (await client.unchecked.as(token).POST('/orders', { body })).response.status
    await expect.poll(place, patience).toBe(503)
    await alert.becomes('firing')
    await shop.compose('start', 'postgres')
    await expect(alert.becomes('resolved')).resolves.toBeUndefined()
    await expect.poll(place, patience).toBe(201)
  }, 240_000)
})

describe('the dashboards', () => {
  beforeAll(async () => {
    await faults.delayEvents(customer)
    await Promise.all([faults.exhaustPooler(), faults.cookBooks(), faults.lockOrders(customer)])
  }, 300_000)

  it('have data for each query of each panel', async () => {
    const without = async () => {
      const found = await Promise.all(
        queries.map(async ({ name, exprs }) =>
          (await Promise.all(exprs.map(hasHad))).includes(true) ? [] : [{ name, exprs }],
        ),
      )
      return found.flat()
    }
    await expect.poll(without, { ...patience, interval: 3_000 }).toEqual([])
  })

  it('show the log of a function', async () => {
    for (const { exprs } of logQueries)
      for (const expr of exprs)
        await expect.poll(async () => (await findLines(expr)).length, patience).toBeGreaterThan(0)
  })

  it('need a cluster for what it alone has: pods, autoscalers and claims of volumes', () => {
    expect(new Set(clusterQueries.map(({ dashboard }) => dashboard))).toEqual(
      new Set(['scaling', 'stores', 'one-function']),
    )
    expect(clusterQueries.length).toBeLessThan(queries.length / 3)
  })
})

describe('the alerts', () => {
  it('are evaluated without an error, and read series that exist', async () => {
    const rules = await readRules()
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
    const missing = async () => {
      const selectors = new Set(
        rules.flatMap(({ query }) => selectorsIn(query)).filter((s) => !isOfCluster(s)),
      )
      const found = await Promise.all(
        [...selectors].map(async (s) => ((await seriesOf(s)).length > 0 ? [] : [s])),
      )
      return found.flat()
    }
    await expect.poll(missing, patience).toEqual([])
  })
})

describe('what clients and processes keep secret', () => {
  it('is in no log, no metric and no span', async () => {
    await sendSecrets()
    const last = await customer.GET('/orders')
    const lastTrace = last.response.headers.get('x-trace-id')!
    await expect
      .poll(async () => (await findLines(`trace_id:="${lastTrace}"`)).length, patience)
      .toBeGreaterThan(0)
    const everything = await readEverything()
    for (const known of [orderId, traceId, 'zeroshop_orders_placed_total'])
      expect(everything).toContain(known)
    const forbidden = { ...secrets, ...ownSecrets(), accessToken: await customer.token() }
    expect(Object.keys(forbidden).length).toBeGreaterThan(20)
    const found = Object.entries(forbidden).filter(([, secret]) => everything.includes(secret))
    expect(found.map(([name]) => name)).toEqual([])
  })
})

/** Sends secrets wherever a client may by mistake. */
async function sendSecrets() {
  const { password, token, cardNumber, street, note } = secrets
  const json = { 'content-type': 'application/json' }
  const authorization = `Bearer ${await customer.token()}`
  const order = newOrder([{ sku: 'MUG-BLUE', quantity: 1 }], cardNumber)
  const address = { ...order.deliveryAddress, street }
  const send = (method: string, path: string, headers: Record<string, string>, body?: string) =>
    fetch(`${shop.url}/api/v1${path}`, { method, headers, ...(body !== undefined && { body }) })
  const answers = await Promise.all([
    send('POST', '/sessions', json, JSON.stringify({ email: customer.user.email, password: note })),
    send('POST', '/sessions', json, `{"password":"${password}"`),
    send(
      'POST',
      '/orders',
      { ...json, authorization, 'idempotency-key': randomUUID() },
      JSON.stringify(order),
    ),
    send(
      'PATCH',
      `/orders/${orderId}`,
      { ...json, authorization, 'if-match': '*' },
      JSON.stringify({ deliveryAddress: address, note }),
    ),
    send('GET', '/orders', { authorization: `Bearer ${token}`, cookie: `session=${token}` }),
  ])
  expect(answers.map(({ status }) => status)).toEqual([401, 400, 400, 200, 401])
}

/** Returns the secrets of the shop itself. */
const ownSecrets = () =>
  Object.fromEntries(
    readdirSync(secretsFolder)
      .filter((name) => !['jwt-public-keys', 'gateway-root.crt'].includes(name))
      .map((name) => {
        const text = readFileSync(join(secretsFolder, name), 'utf8').trim()
        return [name, name.endsWith('-url') ? new URL(text).password : text]
      }),
  )

/** Returns all that is known about the shop: logs as they were written and as they are kept, series and spans. */
async function readEverything(): Promise<string> {
  const [written, kept, series, spans] = await Promise.all([
    shop.compose('logs', '--no-color'),
    findLines('*'),
    seriesOf('{__name__=~".+"}'),
    readSpans(),
  ])
  return [written, kept, series, spans]
    .map((each) => (typeof each === 'string' ? each : JSON.stringify(each)))
    .join('\n')
}
