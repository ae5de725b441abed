import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newOrder } from './orders.ts'
import { openShopBehindGateway } from './gateway.ts'
import type { TestShop } from './shop.ts'

/** A shop whose reactions never run: its projections are as old as they can get. */
let shop: TestShop

beforeAll(async () => (shop = await openShopBehindGateway(['orders', 'products'])))
afterAll(() => shop.close())

const eur = (amount: number) => ({ amount, currency: 'EUR' })

async function offer(amount: number) {
  const body = { sku: randomUUID(), name: 'Mug', category: 'mugs', price: eur(amount) }
  const { id, sku } = await shop.create('/products', { as: 'seller', body })
  return {
    reprice: (amount: number) =>
      shop.patch(`/products/${id}`, { as: 'seller', ifMatch: '*', body: { price: eur(amount) } }),
    withdraw: () => shop.delete(`/products/${id}`, { as: 'seller' }),
    order: () => shop.post('/orders', { as: 'customer', body: newOrder([{ sku, quantity: 1 }]) }),
  }
}

it('charges the new price from the answer to its change on, each of 50 times', async () => {
  const product = await offer(700)
  expect((await product.order()).body.total).toEqual(eur(700))
  const charged: number[] = []
  const prices = Array.from({ length: 50 }, (_, n) => 300 + n)
  for (const price of prices) {
    expect((await product.reprice(price)).status).toBe(200)
    charged.push((await product.order()).body.total.amount)
  }
  expect(charged).toEqual(prices)
})

it('refuses an order from the answer to the withdrawal of its product on', async () => {
  const product = await offer(700)
  expect((await product.order()).status).toBe(201)
  await product.withdraw()
  expect((await product.order()).status).toBe(422)
})
