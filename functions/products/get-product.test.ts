import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openShop, type TestShop } from '../../test/shop.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['products'])
})
afterAll(() => shop.close())

const create = async () => {
  const body = { sku: randomUUID(), name: 'Mug', category: 'mugs', price: { amount: 1, currency: 'EUR' } }
  return (await shop.post('/products', { as: 'seller', body })).body
}

it('shows a product to anyone', async () => {
  const product = await create()
  const answer = await shop.get(`/products/${product.id}`)
  expect([answer.status, answer.body]).toEqual([200, product])
  expect(answer.headers.get('cache-control')).toBe('public, no-cache')
})

it('returns 304 to a client that has the current version', async () => {
  const { id } = await create()
  const headers = { 'if-none-match': (await shop.get(`/products/${id}`)).headers.get('etag')! }
  const unchanged = await shop.get(`/products/${id}`, { headers })
  expect([unchanged.status, unchanged.text]).toEqual([304, ''])
  await shop.patch(`/products/${id}`, { as: 'seller', ifMatch: '*', body: { name: 'Cup' } })
  expect((await shop.get(`/products/${id}`, { headers })).status).toBe(200)
})

it('returns 404 for an unknown or deleted product', async () => {
  const { id } = await create()
  await shop.delete(`/products/${id}`, { as: 'seller' })
  for (const path of [`/products/${id}`, `/products/${uuidv7()}`]) {
    const answer = await shop.get(path)
    expect(answer.body).toMatchObject({ status: 404, type: expect.stringContaining('not-found') })
  }
})

it('rejects an invalid id', async () => {
  const answer = await shop.get('/products/1')
  expect(answer.body).toMatchObject({ status: 400, errors: [{ pointer: '/path/id' }] })
})
