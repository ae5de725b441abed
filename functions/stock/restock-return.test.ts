import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seedStock } from '../../demo/seed-stock.ts'
import { openShop, type TestShop } from '../../test/shop.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['stock'])
})
afterAll(() => shop.close())

/** Returns an order of some pieces of a new SKU, of which there are three, before it is completed. */
async function reserved(quantity: number) {
  const sku = randomUUID().toUpperCase()
  await seedStock(shop.deps('stock').db, [{ sku, sellerId: shop.users.seller.id, quantity: 3 }])
  const orderId = uuidv7()
  const total = { amount: 100, currency: 'EUR' }
  const lines = [{ sku, quantity }]
  await shop.react('reserve-stock', 'order.placed', { orderId, customerId: uuidv7(), lines, total })
  return { sku, orderId }
}

async function sold(quantity: number) {
  const order = await reserved(quantity)
  await shop.react('commit-stock', 'order.completed', { orderId: order.orderId })
  return order
}

const came = (orderId: string, ...items: { sku: string; quantity: number; restock: boolean }[]) =>
  shop.eventOf('return.received', {
    returnId: uuidv7(),
    orderId,
    customerId: uuidv7(),
    items: items.map((item) => ({ ...item, net: 1, taxRate: 0, tax: 0, gross: 1 })),
    refund: { amount: items.length, currency: 'EUR' },
  })

const account = async (sku: string) => {
  const { available, reserved, sold } = (await shop.get(`/stock/${sku}`)).body
  return { available, reserved, sold }
}

describe('restock-return', () => {
  it('makes pieces available again, and leaves those sold that are written off', async () => {
    const { sku, orderId } = await sold(3)
    const event = came(orderId, { sku, quantity: 2, restock: true }, { sku, quantity: 1, restock: false })
    await shop.handle('restock-return', event)
    await shop.handle('restock-return', event)
    expect(await account(sku)).toEqual({ available: 2, reserved: 0, sold: 1 })
    const { body } = await shop.get(`/stock/${sku}/history?type=returned`, { as: 'seller' })
    expect(body.items).toMatchObject([{ type: 'returned', quantity: 2, orderId }])
    expect((await shop.emitted(sku)).map(({ type, data }) => [type, data])).toContainEqual([
      'stock.availability-changed',
      expect.objectContaining({ availability: 'low' }),
    ])
  })

  it('changes nothing if all of it is written off', async () => {
    const { sku, orderId } = await sold(3)
    await shop.handle('restock-return', came(orderId, { sku, quantity: 3, restock: false }))
    expect(await account(sku)).toEqual({ available: 0, reserved: 0, sold: 3 })
  })

  it('waits until the order is completed, and does nothing if it is cancelled instead', async () => {
    const { sku, orderId } = await reserved(1)
    const event = came(orderId, { sku, quantity: 1, restock: true })
    await expect(shop.handle('restock-return', event)).rejects.toThrow('is not completed yet')
    await shop.react('release-stock', 'order.cancelled', { orderId, reason: 'recalled' })
    await shop.handle('restock-return', event)
    expect(await account(sku)).toEqual({ available: 3, reserved: 0, sold: 0 })
  })
})
