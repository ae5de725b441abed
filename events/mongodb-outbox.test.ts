import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { openShop, type TestShop } from '../test/shop.ts'
import type { Collection } from 'mongodb'
import { newProduct, update } from '../functions/products/product.ts'
import { writeChange } from '../functions/products/store.ts'
import { pendingEvents, removeEvents, type WithOutbox } from './mongodb-outbox.ts'

let shop: TestShop
const products = () => shop.deps('products').products
/** The products with the relay's type. */
const documents = () => products() as unknown as Collection<WithOutbox>

beforeAll(async () => {
  shop = await openShop(['products'], {}, { collects: false })
})
beforeEach(() => documents().deleteMany({}))
afterAll(() => shop.close())

const add = async (sku: string) => {
  const price = { amount: 100, currency: 'EUR' }
  const product = newProduct(
    { sku, name: sku, description: '', category: 'x', price, attributes: {} },
    shop.users.seller.id,
  )
  await products().insertOne(product)
  return product._id
}

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

const rename = (id: string, name: string) =>
  writeChange(products(), id, shop.users.seller, '*', (product) =>
    update(product, { name }, { traceparent, actor: `seller:${shop.users.seller.id}` }),
  )

it('returns pending events, oldest first, and those of a product in sequence', async () => {
  const a = await add('A')
  const b = await add('B')
  await rename(a, 'A2')
  await rename(a, 'A3')
  const pending = await pendingEvents(documents(), 10)
  const productOf = (data: unknown) => (data as { productId: string }).productId
  expect(pending.map(({ data, type, subject }) => [productOf(data), type, subject])).toEqual([
    [a, 'product.created', 'A'],
    [a, 'product.updated', 'A'],
    [a, 'product.updated', 'A'],
    [b, 'product.created', 'B'],
  ])
  expect(pending[1]).toEqual({
    id: expect.any(String),
    type: 'product.updated',
    actor: expect.stringMatching(/^seller:/),
    subject: 'A',
    time: expect.any(Date),
    traceparent,
    data: {
      productId: a,
      sku: 'A',
      name: 'A2',
      price: { amount: 100, currency: 'EUR' },
      category: 'x',
      weightGrams: 0,
      taxClass: 'standard',
      sellerId: shop.users.seller.id,
      version: 2,
    },
  })
  expect(await pendingEvents(documents(), 2)).toEqual(pending.slice(0, 2))
})

it('removes only the given events', async () => {
  const a = await add('A')
  await add('B')
  await rename(a, 'A2')
  const before = await pendingEvents(documents(), 10)
  await removeEvents(documents(), [before[0]!.id, before[2]!.id, 'unknown'])
  expect(await pendingEvents(documents(), 10)).toEqual([before[1]])
  await removeEvents(documents(), [])
  await removeEvents(documents(), [before[1]!.id])
  expect(await pendingEvents(documents(), 10)).toEqual([])
})

it('loses no event if a relay removes others at the same time', async () => {
  const id = await add('A')
  const seen: number[] = []
  let writing = true
  const relay = async () => {
    for (let drained = false; !drained;) {
      drained = !writing
      const pending = await pendingEvents(documents(), 3)
      for (const { data } of pending) seen.push((data as { version: number }).version)
      if (pending.length > 0) drained = false
      await removeEvents(
        documents(),
        pending.map(({ id }) => id),
      )
    }
  }
  const write = async () => {
    await Promise.all(Array.from({ length: 8 }, (_, i) => rename(id, `A${i}`)))
    writing = false
  }
  await Promise.all([relay(), write()])
  expect(seen).toEqual(Array.from({ length: 9 }, (_, i) => i + 1))
})
