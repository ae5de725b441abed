import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openShopBehindGateway } from '../../test/gateway.ts'
import type { TestShop } from '../../test/shop.ts'

let shop: TestShop

beforeAll(async () => (shop = await openShopBehindGateway(['stock', 'products'])))
afterAll(() => shop.close())

const opened = async (sku = uuidv7().toUpperCase()) => {
  const sellerId = shop.users.seller.id
  const price = { amount: 100, currency: 'EUR' }
  await shop.react('open-stock', 'product.created', {
    productId: uuidv7(),
    sku,
    name: 'Mug',
    price,
    sellerId,
    version: 1,
  })
  return sku
}

const create = async (sku = uuidv7().toUpperCase()) => {
  const body = { sku, name: 'Mug', category: 'mugs', price: { amount: 100, currency: 'EUR' } }
  await shop.post('/products', { as: 'seller', body })
  return sku
}

it('shows the stock of a SKU to anyone', async () => {
  const sku = await opened()
  await shop.post(`/stock/${sku}/adjustments`, { as: 'seller', body: { quantity: 7, reason: 'received' } })
  const answer = await shop.get(`/stock/${sku}`)
  expect(answer.status).toBe(200)
  expect(answer.body).toEqual({
    sku,
    available: 7,
    reserved: 0,
    sold: 0,
    received: 7,
    threshold: 5,
    availability: 'available',
    updatedAt: expect.any(String),
  })
  const headers = { 'if-none-match': answer.headers.get('etag')! }
  expect((await shop.get(`/stock/${sku}`, { headers })).status).toBe(304)
  await shop.post(`/stock/${sku}/adjustments`, { as: 'seller', body: { quantity: -7, reason: 'lost' } })
  expect((await shop.get(`/stock/${sku}`, { headers })).body).toMatchObject({ available: 0, received: 0 })
})

it('opens an account once, even if product.created arrives again', async () => {
  const sku = await opened()
  await shop.post(`/stock/${sku}/adjustments`, { as: 'seller', body: { quantity: 7, reason: 'received' } })
  await opened(sku)
  expect((await shop.get(`/stock/${sku}`)).body).toMatchObject({ available: 7 })
})

it('shows empty stock before product.created has arrived', async () => {
  const sku = await create()
  const answers = await Promise.all(Array.from({ length: 5 }, () => shop.get(`/stock/${sku}`)))
  for (const { status, body } of answers) {
    expect(status).toBe(200)
    expect(body).toMatchObject({ sku, available: 0, reserved: 0, sold: 0, received: 0 })
  }
  await opened(sku)
  expect((await shop.get(`/stock/${sku}`)).text).toBe(answers[0]!.text)
})

it('receives stock before product.created has arrived', async () => {
  const sku = await create()
  const send = { body: { quantity: 3, reason: 'received' } }
  const other = await shop.post(`/stock/${sku}/adjustments`, { ...send, as: shop.newUser('seller') })
  expect(other.status).toBe(404)
  const answer = await shop.post(`/stock/${sku}/adjustments`, { ...send, as: 'seller' })
  expect([answer.status, answer.body.stock.available]).toEqual([201, 3])
})

it('returns 404 for an unknown SKU', async () => {
  const answers = [
    await shop.get('/stock/NONE'),
    await shop.post('/stock/NONE/adjustments', { as: 'admin', body: { quantity: 1, reason: 'received' } }),
  ]
  for (const { body } of answers)
    expect(body).toMatchObject({ status: 404, type: expect.stringContaining('not-found') })
})

it('rejects an invalid SKU', async () => {
  const answer = await shop.get('/stock/a%20b')
  expect(answer.body).toMatchObject({ status: 400, errors: [{ pointer: '/path/sku' }] })
})
