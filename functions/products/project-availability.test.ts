import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openShop, type TestShop } from '../../test/shop.ts'
import type { Availability } from '../stock/availability.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['products'])
})
afterAll(() => shop.close())

const create = async () => {
  const price = { amount: 1, currency: 'EUR' }
  const body = { sku: randomUUID().toUpperCase(), name: 'Lantern', category: 'lamps', price }
  return (await shop.post('/products', { as: 'seller', body })).body
}
const announce = (sku: string, availability: Availability, version: number) =>
  shop.react('project-availability', 'stock.availability-changed', { sku, availability, version })
const read = async (id: string) => (await shop.get(`/products/${id}`)).body.availability
const found = async (availability: string) =>
  (await shop.get(`/products?availability=${availability}`)).body.items.map((each: { id: string }) => each.id)

it('shows what the stock has announced, and finds products by it', async () => {
  const { id, sku, availability } = await create()
  expect(availability).toBe('unavailable')
  await announce(sku, 'available', 2)
  expect(await read(id)).toBe('available')
  expect(await found('available')).toEqual([id])
  await announce(sku, 'low', 5)
  expect(await read(id)).toBe('low')
  expect([await found('available'), await found('low')]).toEqual([[], [id]])
})

it('ignores what it knows already, and what is older', async () => {
  const { id, sku } = await create()
  await announce(sku, 'low', 4)
  await announce(sku, 'available', 3)
  await announce(sku, 'available', 4)
  expect(await read(id)).toBe('low')
})

it('ignores a SKU that it does not know', async () => {
  const { products } = shop.deps('products')
  const before = await products.countDocuments()
  await announce(randomUUID().toUpperCase(), 'low', 1)
  expect(await products.countDocuments()).toBe(before)
})

it('does not know the availability of a product of an earlier version until it changes', async () => {
  const { id, sku } = await create()
  await shop.deps('products').products.updateOne({ _id: id }, { $unset: { stock: '' } })
  expect(await read(id)).toBe('unknown')
  await announce(sku, 'low', 1)
  expect(await read(id)).toBe('low')
})

it('makes another answer for caches, but is no reason to refuse an update', async () => {
  const { id, sku } = await create()
  const before = (await shop.get(`/products/${id}`)).headers.get('etag')!
  await announce(sku, 'available', 7)
  const after = (await shop.get(`/products/${id}`, { headers: { 'if-none-match': before } })).headers.get(
    'etag',
  )!
  expect([before, after]).toEqual(['"1"', '"1.7"'])
  const change = (ifMatch: string) =>
    shop.patch(`/products/${id}`, { as: 'seller', ifMatch, body: { name: `Lantern ${ifMatch}` } })
  const changed = await change(before)
  expect([changed.status, changed.headers.get('etag')]).toEqual([200, '"2.7"'])
  for (const stale of [before, after, '"2.x"', '"2."', '".2"']) expect((await change(stale)).status).toBe(412)
  await announce(sku, 'low', 8)
  expect((await change('"2.7"')).status).toBe(200)
})
