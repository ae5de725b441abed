import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { Collection } from 'mongodb'
import { pino, type Logger } from 'pino'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { openLink } from '../../test/link.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { endedIn } from '../shared/auth/ended-sessions.ts'
import { createApp } from '../shared/http/app.ts'
import type { Operation } from '../shared/http/operation.ts'
import { openCategories } from './category-store.ts'
import { createProduct } from './create-product.ts'
import { getProduct } from './get-product.ts'
import { pendingEvents } from '../../events/mongodb-outbox.ts'
import { migrateMongodb } from '../migrate-mongodb.ts'
import type { Row } from '../shared/process/entry.ts'
import type { OperationRow } from '../shared/domain.ts'
import { openMongodb, patiently } from '../shared/store/mongodb.ts'
import { isUnavailable } from '../shared/store/store-errors.ts'
import { rowOf, type OperationName } from '../table.ts'
import { migrations } from './migrations/index.ts'
import { foldedWords } from './migrations/search-keys.ts'
import type { ProductDocument } from './product.ts'
import { seedProducts, workshopCatalogue } from '../../demo/seed-products.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['products'], {}, { collects: false })
})
afterAll(() => shop.close())

describe('seeding', () => {
  it('adds each product of the catalogue once with an event, even if it runs again', async () => {
    const { products } = shop.deps('products')
    const first = await seedProducts(products, shop.users.seller.id)
    expect(first).toHaveLength(workshopCatalogue.length)
    expect(first[0]).toEqual({ sku: 'MUG-BLUE', sellerId: shop.users.seller.id, quantity: 40 })
    expect(await seedProducts(products, shop.users.seller.id)).toEqual(first)
    expect(await seedProducts(products, shop.users.admin.id)).toEqual([])
    expect(await products.countDocuments()).toBe(workshopCatalogue.length)
    expect(await pendingEvents(products as never, 100)).toHaveLength(workshopCatalogue.length)
  })

  it('adds products that the shop would accept', async () => {
    for (const { product } of workshopCatalogue) {
      const body = { ...product, sku: `X-${product.sku}` }
      expect((await shop.post('/products', { as: 'seller', body })).status).toBe(201)
    }
  })
})

it('can create the indexes repeatedly and concurrently', async () => {
  const { products } = shop.deps('products')
  const migrate = () =>
    migrateMongodb({ domain: 'products', url: shop.mongodb, setting: 'MONGODB_URL', migrations })
  await Promise.all([migrate(), migrate()])
  const unique = (await products.indexes()).filter((index) => index.unique === true)
  expect(new Set(unique.map((index) => index.name))).toEqual(new Set(['creation', 'options', 'sku']))
})

it('makes the products of an earlier version findable by folded words, and sorts them', async () => {
  const { products } = shop.deps('products')
  const body = { name: '日本語 Smørrebrød', category: 'food', price: { amount: 1, currency: 'EUR' } }
  const { id } = await shop.create('/products', { as: 'seller', body: { ...body, sku: randomUUID() } })
  const { words, nameKey } = (await products.findOne({ _id: id }))!
  const deleted = await shop.create('/products', { as: 'seller', body: { ...body, sku: randomUUID() } })
  await products.updateOne({ _id: deleted.id }, { $set: { deletedAt: new Date(), words: [] } })
  await products.updateOne({ _id: id }, { $set: { words: ['smørrebrød'], nameKey: body.name } })

  for (let run = 0; run < 2; run++) await foldedWords(products.db)
  expect(await products.findOne({ _id: id })).toMatchObject({ words, nameKey })
  for (const q of ['smorrebrod', '本語'])
    expect((await shop.get(`/products?q=${encodeURIComponent(q)}`)).body.items).toMatchObject([{ id }])
})

// at once with the next two, because all three wait for time-outs
it.concurrent('says that a change is made, but not announced, if no relay takes its event', async () => {
  const body = { sku: randomUUID(), name: 'Mug', category: 'mugs', price: { amount: 1, currency: 'EUR' } }
  const { id } = await shop.create('/products', { as: 'seller', body })
  const answer = await shop.patch(`/products/${id}`, { as: 'seller', ifMatch: '"1"', body: { name: 'Cup' } })
  expect(answer).toMatchObject({
    status: 503,
    body: {
      type: 'https://zeroshop.dev/problems/change-not-announced',
      detail: expect.stringContaining('has version 2 now'),
    },
  })
  expect((await shop.get(`/products/${id}`)).body).toMatchObject({ name: 'Cup', version: 2 })
})

it.concurrent('returns 503 while the store cannot be reached, and works as soon as it can', async () => {
  const { link, url } = await linkToStore()
  link.cut()
  const store = openProducts(url.href)
  const app = appOf(getProduct, store.products)
  const status = async () =>
    (await app.request('/api/v1/products/01999d3c-7b57-7d0c-8d1c-5a9f1c2b3d4e')).status
  expect([await status(), await status()]).toEqual([503, 503])
  await expect(store.ping()).rejects.toThrow(/closed|ECONNREFUSED/)

  link.restore()
  await vi.waitFor(async () => expect(await status()).toBe(404), { timeout: 10_000, interval: 100 })
  await store.close()
  link.close()
})

it.concurrent('returns 503 to open requests when the driver notices that the server is silent', async () => {
  const { link, url } = await linkToStore()
  url.searchParams.set('heartbeatFrequencyMS', '500')
  url.searchParams.set('serverMonitoringMode', 'poll')
  const store = openProducts(url.href)
  const reasons: string[] = []
  const log = pino({ level: 'error' }, { write: (line) => reasons.push(JSON.parse(line).err.type) })
  const app = appOf(createProduct, store.products, log)
  const create = async () => {
    const body = JSON.stringify({ ...workshopCatalogue[0]!.product, sku: randomUUID() })
    const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() }
    return (await app.request('/api/v1/products', { method: 'POST', headers, body })).status
  }
  await vi.waitFor(async () => expect(await create()).toBe(201), { timeout: 10_000 })

  link.stall()
  // the heartbeat has the same timeout as a request; starting first, it is the first to time out
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

it.concurrent('treats a lost connection as an outage for one write and for several', async () => {
  const { link, url } = await linkToStore()
  url.searchParams.set('serverSelectionTimeoutMS', '500')
  const { products, ping, close } = openProducts(url.href)
  const insert = () => ({ insertOne: { document: { _id: randomUUID() } as ProductDocument } })
  const writes = [
    () => products.insertOne(insert().insertOne.document),
    () => products.bulkWrite([insert(), insert()]),
  ]
  for (const write of writes) {
    await ping()
    link.stall()
    const underWay = write().catch((error: unknown) => error)
    link.cut()
    expect(await underWay).toSatisfy(isUnavailable)
    await expect(write()).rejects.toSatisfy(isUnavailable)
    link.restore()
    await vi.waitFor(ping, { timeout: 10_000, interval: 100 })
  }
  await close()
  link.close()
})

it.concurrent('waits for a response as long as the URL says', async () => {
  const { link, url } = await linkToStore()
  url.searchParams.set('socketTimeoutMS', '100')
  const store = openProducts(url.href)
  await store.ping()
  link.stall()
  const began = performance.now()
  await expect(store.ping()).rejects.toThrow(/timed out/)
  expect(performance.now() - began).toBeLessThan(3_000)
  await store.close()
  link.close()
})

it.concurrent('waits longer for what reads many documents', async () => {
  const { link, url } = await linkToStore()
  url.searchParams.set('socketTimeoutMS', '2000')
  url.searchParams.set('connectTimeoutMS', '20000')
  const store = openProducts(url.href)
  await store.ping()
  link.delay(1_500)
  expect(await store.products.find({}, patiently).toArray()).toEqual([])
  await expect(store.products.find({}).toArray()).rejects.toThrow(/timed out|closed/)
  await store.close()
  link.close()
})

/** Opens a link that can be cut. Returns it with the URL of a new database behind it. */
async function linkToStore() {
  const link = await openLink(inject('stores').mongodb)
  const url = new URL(link.url)
  url.pathname = randomUUID()
  return { link, url }
}

/** Opens the products collection of a database. */
function openProducts(url: string) {
  const store = openMongodb(url)
  return { ...store, products: store.db.collection<ProductDocument>('products') }
}

/** Returns an app with one operation on products, called by a seller. */
const appOf = (
  run: Operation,
  products: Collection<ProductDocument>,
  log: Logger = pino({ level: 'silent' }),
) =>
  createApp({
    operations: [{ row: rowOf(run.name as OperationName) as Row<OperationRow>, run, emits: {}, takes: {} }],
    // only the products domain is requested
    deps: () => ({
      log,
      products,
      categories: openCategories(products.db),
      isSessionEnded: endedIn(async () => []),
    }),
    authenticate: () => Promise.resolve(shop.users.seller),
    log,
  })
