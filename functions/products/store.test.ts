import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { openLink } from '../../test/link.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { createApp } from '../shared/app.ts'
import { createProduct } from './create-product.ts'
import { getProduct } from './get-product.ts'
import { pendingEvents } from './outbox.ts'
import { seedProducts, workshopCatalogue } from './seed.ts'
import { ensureIndexes, openProducts } from './store.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['products'])
})
afterAll(() => shop.close())

describe('seeding', () => {
  it('adds the catalogue once, however often it runs, with an event for each', async () => {
    const { products } = shop.deps('products')
    const first = await seedProducts(products, shop.users.seller.id)
    expect(first).toHaveLength(workshopCatalogue.length)
    expect(first[0]).toEqual({ sku: 'MUG-BLUE', sellerId: shop.users.seller.id, quantity: 40 })
    expect(await seedProducts(products, shop.users.seller.id)).toEqual(first)
    expect(await seedProducts(products, shop.users.admin.id)).toEqual([])
    expect(await products.countDocuments()).toBe(workshopCatalogue.length)
    expect(await pendingEvents(products, 100)).toHaveLength(workshopCatalogue.length)
  })

  it('adds products that the shop would accept', async () => {
    for (const { product } of workshopCatalogue) {
      const body = { ...product, sku: `X-${product.sku}` }
      expect((await shop.post('/products', { as: 'seller', body })).status).toBe(201)
    }
  })
})

it('makes the indexes any number of times', async () => {
  const { products } = shop.deps('products')
  await Promise.all([ensureIndexes(products), ensureIndexes(products)])
  const unique = (await products.indexes()).filter((index) => index.unique === true)
  expect(new Set(unique.map((index) => index.name))).toEqual(new Set(['creation', 'sku']))
})

it('answers 503 while the store cannot be reached, and works as soon as it can', async () => {
  const port = await listen(createServer())
  const store = await openProducts(`mongodb://127.0.0.1:${port}/shop?directConnection=true`)
  const log = pino({ level: 'silent' })
  const app = createApp({
    operations: [getProduct],
    // the only domain that is asked for
    deps: () => ({ log, products: store.products }) as never,
    authenticate: () => Promise.resolve(undefined),
    log,
  })
  const status = async () =>
    (await app.request('/api/v1/products/01999d3c-7b57-7d0c-8d1c-5a9f1c2b3d4e')).status
  expect([await status(), await status()]).toEqual([503, 503])
  await expect(store.ping()).rejects.toThrow(/closed|ECONNREFUSED/)

  const upstreamPort = Number(new URL(inject('stores').mongodb).port)
  const proxy = createServer((socket) => {
    const upstream = connect(upstreamPort, '127.0.0.1')
    socket.pipe(upstream).pipe(socket)
  })
  await listen(proxy, port)
  await vi.waitFor(async () => expect(await status()).toBe(404), { timeout: 10_000, interval: 100 })
  await store.close()
  proxy.close()
})

it('answers 503 to what is in hand when the driver notices that the server says nothing', async () => {
  const link = await openLink(inject('stores').mongodb)
  const url = new URL(link.url)
  url.pathname = randomUUID()
  url.searchParams.set('heartbeatFrequencyMS', '500')
  url.searchParams.set('serverMonitoringMode', 'poll')
  const store = await openProducts(url.href)
  const reasons: string[] = []
  const log = pino({ level: 'error' }, { write: (line) => reasons.push(JSON.parse(line).err.type) })
  const app = createApp({
    operations: [createProduct],
    deps: () => ({ log, products: store.products }) as never,
    authenticate: () => Promise.resolve(shop.users.seller),
    log,
  })
  const create = async () => {
    const body = {
      sku: randomUUID(),
      name: 'Kettle',
      category: 'pots',
      price: { amount: 1, currency: 'EUR' },
    }
    const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() }
    return (await app.request('/api/v1/products', { method: 'POST', headers, body: JSON.stringify(body) }))
      .status
  }
  await vi.waitFor(async () => expect(await create()).toBe(201), { timeout: 10_000 })

  link.stall()
  // it waits as long as a request does; so it is the first to give up
  await once(store.db.client, 'serverHeartbeatStarted')
  const statuses: Promise<number>[] = []
  await vi.waitFor(
    () => {
      statuses.push(create())
      expect(reasons).toContain('PoolClearedOnNetworkError')
    },
    { timeout: 10_000, interval: 100 },
  )
  expect(new Set(await Promise.all(statuses))).toEqual(new Set([503]))
  await store.close()
  link.close()
})

/** Listens on a port; on a free one, and only to find it, where none is given. */
async function listen(server: Server, port = 0): Promise<number> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  // it listens on a port
  const address = server.address() as AddressInfo
  if (port === 0) {
    server.close()
    await once(server, 'close')
  }
  return address.port
}
