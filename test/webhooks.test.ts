import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { good } from '../demo/client/good.ts'
import { placeOrder, shipOrder } from '../demo/client/orders.ts'
import { receiveStock } from '../demo/client/stock.ts'
import { waitForEntries } from '../demo/client/timeline.ts'
import { demoPassword } from '../local/people.ts'
import { startTestSystem, type TestSystem } from './system.ts'

/** Webhooks to a seller's system, by the whole shop: over real HTTP and JetStream. */

let shop: TestSystem
let receiver: Server
/** What the seller's system has got. */
const got: { headers: Record<string, string>; body: string }[] = []
/** How often it refuses, before it takes what comes. */
let refusals = 1

beforeAll(async () => {
  receiver = createServer((request, response) => {
    void text(request).then((body) => {
      got.push({ headers: request.headers as Record<string, string>, body })
      response.writeHead(refusals-- > 0 ? 503 : 204).end()
    })
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  shop = await startTestSystem()
})
afterAll(async () => {
  await shop.stop()
  receiver.closeAllConnections()
  await new Promise((resolve) => receiver.close(resolve))
})

it(
  'a seller’s system is told what happens to an order, also if it refuses at first',
  { timeout: 120_000 },
  async () => {
    const seller = await shop.logIn({ email: 'seller@example.com', password: demoPassword })
    const staff = await shop.staff()
    const customer = await shop.register()
    const { port } = receiver.address() as AddressInfo
    const endpoint = await good(
      seller.POST('/webhook-endpoints', {
        body: {
          url: `http://127.0.0.1:${port}/webhooks`,
          events: ['order.placed', 'order.confirmed', 'order.shipped', 'order.completed', 'stock.low'],
        },
      }),
    )
    // that of somebody else, of which the seller is told nothing
    const admin = await shop.logIn({ email: 'admin@example.com', password: demoPassword })
    const [sku, other] = [randomUUID(), randomUUID()].map((id) => `LAMP-${id}`.toUpperCase()) as [
      string,
      string,
    ]
    for (const [who, each] of [
      [seller, sku],
      [admin, other],
    ] as const) {
      const price = { amount: 4_900, currency: 'EUR' }
      await good(who.POST('/products', { body: { sku: each, name: 'Lamp', price, category: 'light' } }))
      await receiveStock(staff, each, 6)
    }
    // whose product it is has to be known before somebody orders it
    const { NOTIFICATIONS_DATABASE_URL: url } = shop.system.environment.ofService('migrate')
    const sql = postgres(url!, { max: 1 })
    onTestFinished(() => sql.end())
    await expect
      .poll(() => sql`select seller_id from notifications.products where sku = ${sku}`, { timeout: 20_000 })
      .toHaveLength(1)

    const { id } = await placeOrder(
      customer,
      [
        { sku, quantity: 2 },
        { sku: other, quantity: 1 },
      ],
      'card_approved',
    )
    await waitForEntries(customer, id, 'order.confirmed')
    await shipOrder(staff, id, {})

    const told = () =>
      new Map(
        got.map(({ headers, body }) => {
          const { type, data } = new Webhook(endpoint.secret!).verify(body, headers) as {
            type: string
            data: { orderId?: string; lines: { sku: string }[] }
          }
          return [`${type} ${data.orderId ?? ''}`.trim(), data]
        }),
      )
    const expected = ['order.placed', 'order.confirmed', 'order.shipped', 'order.completed'].map(
      (type) => `${type} ${id}`,
    )
    await expect
      .poll(() => [...told().keys()].toSorted(), { timeout: 40_000 })
      .toEqual(expect.arrayContaining(expected))
    expect(told().get(`order.placed ${id}`)).toMatchObject({ lines: [{ sku, quantity: 2 }] })

    const log = async () =>
      (
        await good(
          seller.GET('/webhook-endpoints/{id}/deliveries', { params: { path: { id: endpoint.id } } }),
        )
      ).items
    await expect
      .poll(async () => (await log()).map(({ status }) => status), { timeout: 20_000 })
      .not.toContain('pending')
    const deliveries = await log()
    expect(deliveries.every(({ status }) => status === 'delivered')).toBe(true)
    // the one that was refused was sent again, with the same id
    const again = deliveries.filter(({ attempts }) => attempts === 2)
    expect(again).toHaveLength(1)
    expect(got.filter(({ headers }) => headers['webhook-id'] === again[0]!.id)).toHaveLength(2)
    expect(got).toHaveLength(deliveries.length + 1)
  },
)
