import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { toServer } from '../../functions/shared/process/serve-operation.ts'
import { knowProducts } from '../../test/orders.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { ApiError, good } from './good.ts'
import { cancelOrder, expecting, newOrder, placeOrder, readOrder, readPrices } from './orders.ts'
import { shopClient, type Person, type ShopClient } from './shop.ts'
import { readTimeline, waitForEntries, watchOrder } from './timeline.ts'

const price = { amount: 900, currency: 'EUR' }
const mug = [{ sku: 'MUG', quantity: 1 }]

let shop: TestShop
let server: Server
let client: ShopClient
let ada: Person
beforeAll(async () => {
  shop = await openShop(['users', 'orders', 'products'])
  const product = { sku: 'MUG', name: 'Mug', category: 'mugs', price }
  await shop.create('/products', { as: 'seller', body: product })
  await knowProducts(shop, ['MUG', price.amount])
  server = toServer(shop.app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  // a server on a TCP port has an AddressInfo
  client = shopClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  ada = await client.register()
})
afterAll(async () => {
  server.close()
  server.closeAllConnections()
  await shop.close()
})

describe('a request', () => {
  it('carries the access token of the person who sends it', async () => {
    const { id } = await placeOrder(ada, mug)
    expect((await client.GET('/orders')).response.status).toBe(401)
    const { items } = await good(client.as(await ada.token()).GET('/orders'))
    expect(items).toMatchObject([{ id, customerId: ada.user.id }])
  })

  it('carries a new Idempotency-Key if it is a POST, or the key that the caller gives', async () => {
    const first = await placeOrder(ada, mug)
    expect((await placeOrder(ada, mug)).id).not.toBe(first.id)
    const params = { header: { 'Idempotency-Key': 'once' } }
    const order = () => good(ada.POST('/orders', { params, body: newOrder(mug) }))
    expect(await order()).toEqual(await order())
  })

  it('rejects with the status, the type and the detail of the problem if it fails', async () => {
    const failure = client.logIn({ email: ada.user.email, password: 'wrong' })
    await expect(failure).rejects.toThrow(ApiError)
    const [type, detail] = [
      'https://zeroshop.dev/problems/wrong-credentials',
      'Check both, or register first.',
    ]
    const message = `${client.url}/api/v1/sessions returned 401: ${type}, ${detail}`
    await expect(failure).rejects.toMatchObject({ status: 401, type, detail, message })
  })
})

describe('a person who is logged in', () => {
  afterEach(() => void vi.useRealTimers())

  it('keeps the access token until shortly before it expires, then logs in again', async () => {
    const grace = await client.register()
    const first = await grace.token()
    expect(await grace.token()).toBe(first)
    vi.useFakeTimers({ now: Date.now() + 14.5 * 60_000, toFake: ['Date'] })
    const [second, same] = await Promise.all([grace.token(), grace.token()])
    expect(second).not.toBe(first)
    expect(same).toBe(second)
    await expect(good(grace.GET('/orders'))).resolves.toEqual({ items: [] })
  })
})

describe('an order', () => {
  it('says what the customer expects to pay', async () => {
    const prices = await readPrices(ada, ['MUG', 'NONE', 'MUG'])
    expect(prices).toEqual(new Map([['MUG', price]]))
    const two = [
      { sku: 'MUG', quantity: 1 },
      { sku: 'MUG', quantity: 2 },
    ]
    expect(expecting(newOrder(two), prices)).toMatchObject({
      lines: two.map((line) => ({ ...line, unitPrice: 900 })),
      expectedTotal: { amount: 2700, currency: 'EUR' },
    })
    const outdated = expecting(newOrder(mug), new Map([['MUG', { ...price, amount: 800 }]]))
    await expect(good(ada.POST('/orders', { body: outdated }))).rejects.toMatchObject({ status: 409 })
  })

  it('expects nothing if the customer has not seen every price', () => {
    expect(expecting(newOrder(mug), new Map())).toEqual(newOrder(mug))
  })
})

describe('the timeline of an order', () => {
  it('is followed across a broken stream, with each entry once', async () => {
    const { id } = await placeOrder(ada, mug)
    let stream: Socket | undefined
    server.on('request', ({ url, socket }: IncomingMessage) => {
      if (url?.endsWith('/events') === true) stream = socket
    })
    const seen: string[] = []
    for await (const { type } of watchOrder(ada, id)) {
      seen.push(type)
      if (type === 'order.cancelled') break
      stream?.destroy()
      await cancelOrder(ada, id)
    }
    expect(seen).toEqual(['order.placed', 'order.cancelled'])
    expect((await readTimeline(ada, id)).map(({ type }) => type)).toEqual(seen)
    expect(await waitForEntries(ada, id, 'order.cancelled')).toEqual(seen)
    expect(await readOrder(ada, id)).toMatchObject({ status: 'cancelled' })
  })

  it('is followed although the connection breaks before the stream begins', async () => {
    const { id } = await placeOrder(ada, mug)
    let broken = 0
    server.once('request', ({ socket }: IncomingMessage) => {
      broken++
      socket.destroy()
    })
    expect(await waitForEntries(ada, id, 'order.placed')).toEqual(['order.placed'])
    expect(broken).toBe(1)
  })

  it('cannot be watched by someone else', async () => {
    const { id } = await placeOrder(ada, mug)
    const failure = waitForEntries(await client.register(), id, 'order.placed')
    await expect(failure).rejects.toMatchObject({
      message: `Order ${id} did not reach order.placed; its entries: none`,
      cause: { status: 404 },
    })
  })
})
