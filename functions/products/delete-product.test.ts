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
  const body = {
    sku: randomUUID().toUpperCase(),
    name: 'Kettle',
    category: 'pots',
    price: { amount: 1, currency: 'EUR' },
  }
  return (await shop.post('/products', { as: 'seller', body })).body
}

it('removes a product from the shop and emits product.deleted once', async () => {
  const { id, sku } = await create()
  const answer = await shop.delete(`/products/${id}`, { as: 'seller' })
  expect([answer.status, answer.text]).toEqual([204, ''])
  expect((await shop.get(`/products/${id}`)).status).toBe(404)
  for (const query of ['q=kettle', `sku=${sku}`])
    expect((await shop.get(`/products?${query}`)).body.items).toEqual([])
  expect((await shop.delete(`/products/${id}`, { as: 'seller' })).status).toBe(404)

  expect(await shop.emitted(sku)).toMatchObject([
    { type: 'product.created' },
    { type: 'product.deleted', data: { productId: id, sku, version: 2 } },
  ])
})

it('respects If-Match, but does not require it', async () => {
  const { id } = await create()
  const stale = await shop.delete(`/products/${id}`, { as: 'seller', ifMatch: '"7"' })
  expect(stale.body).toMatchObject({ status: 412, type: expect.stringContaining('stale-version') })
  expect((await shop.delete(`/products/${id}`, { as: 'seller', ifMatch: '"1"' })).status).toBe(204)
})

it('is allowed for the product’s seller and for admins only', async () => {
  const { id } = await create()
  expect((await shop.delete(`/products/${id}`, { as: shop.newUser('seller') })).status).toBe(404)
  expect((await shop.delete(`/products/${id}`, { as: 'staff' })).status).toBe(403)
  expect((await shop.delete(`/products/${id}`)).status).toBe(401)
  expect((await shop.delete(`/products/${id}`, { as: 'admin' })).status).toBe(204)
})

it('rejects an unknown or invalid id', async () => {
  expect((await shop.delete(`/products/${uuidv7()}`, { as: 'admin' })).status).toBe(404)
  expect((await shop.delete('/products/1', { as: 'admin' })).status).toBe(400)
})
