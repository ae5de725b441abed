import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { User } from '../shared/auth/access-token.ts'
import { newProduct } from './product.ts'
import { openShop, type TestShop } from '../../test/shop.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['products'])
})
afterAll(() => shop.close())

const price = { amount: 1, currency: 'EUR' }
const rest = { name: 'Kettle', description: '', category: 'pots', price, attributes: {} }
const offer = (as: User): Promise<{ id: string; sku: string }> =>
  shop.create('/products', { as, body: { ...rest, sku: randomUUID() } })
const left = (userId: string) => shop.react('forget-seller', 'user.deleted', { userId })
const isOffered = async ({ id }: { id: string }) => (await shop.get(`/products/${id}`)).status === 200

it('deletes every product of the deleted seller once, and no other', async () => {
  const [gone, other] = [shop.newUser('seller'), shop.newUser('seller')]
  const theirs = [await offer(gone), await offer(gone), await offer(gone)]
  const stays = await offer(other)
  for (let n = 0; n < 2; n++) await left(gone.id)
  for (const product of theirs) {
    expect(await isOffered(product)).toBe(false)
    await expect
      .poll(() => shop.emitted(product.sku))
      .toMatchObject([{ type: 'product.created' }, { type: 'product.deleted', data: { version: 2 } }])
  }
  expect(await isOffered(stays)).toBe(true)
})

it('forgets what the seller wrote, except for what orders repeat', async () => {
  const gone = shop.newUser('seller')
  const images = [{ url: 'https://ada.example.com/1.jpg', alt: 'Ada' }]
  const texts = {
    description: 'by Ada',
    attributes: { maker: 'Ada' },
    tags: ['ada'],
    images,
    options: { by: 'Ada' },
  }
  const withTexts = { ...rest, ...texts }
  const sku = randomUUID().toUpperCase()
  const [earlier] = [
    await shop.create('/products', { as: gone, body: { ...withTexts, sku } }),
    await shop.create('/products', { as: gone, body: { ...withTexts, sku: randomUUID() } }),
  ]
  await shop.delete(`/products/${earlier.id}`, { as: gone, ifMatch: '*' })
  const found = () => shop.deps('products').products.find({ sellerId: gone.id }).toArray()
  expect(await found()).toMatchObject([texts, texts])
  for (let n = 0; n < 2; n++) await left(gone.id)
  for (const product of await found()) {
    expect(product).toMatchObject({
      name: 'Kettle',
      price,
      description: '',
      attributes: {},
      tags: [],
      images: [],
      options: {},
    })
    expect(product.creation).toBeUndefined()
  }
})

it('deletes a product that is changed at the same time', async () => {
  const gone = shop.newUser('seller')
  const product = await offer(gone)
  const change = (n: number) =>
    shop.patch(`/products/${product.id}`, { as: gone, ifMatch: '*', body: { name: `Kettle ${n}` } })
  await Promise.all([...Array.from({ length: 10 }, (_, n) => change(n)), left(gone.id)])
  expect(await isOffered(product)).toBe(false)
})

it('deletes more products than fit into one batch', async () => {
  const sellerId = uuidv7()
  const { products } = shop.deps('products')
  const one = (n: number) => ({ ...rest, sku: `KETTLE-${n}` })
  await products.insertMany(Array.from({ length: 30 }, (_, n) => newProduct(one(n), sellerId)))
  await left(sellerId)
  expect(await products.countDocuments({ sellerId, deletedAt: null })).toBe(0)
  expect(await products.countDocuments({ sellerId, version: 2 })).toBe(30)
})
