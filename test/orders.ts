import { eq } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { orders, products, type Order } from '../functions/orders/order.ts'
import { address } from '../demo/client/orders.ts'
import { newOrder } from '../functions/orders/fixtures.ts'
import type { User } from '../functions/shared/auth/access-token.ts'
import type { Send, TestShop } from './shop.ts'

export { address, newOrder }

/** Adds products to the projection of the orders domain. */
export async function knowProducts(
  shop: TestShop,
  ...skus: [sku: string, price: number, currency?: string][]
) {
  for (const [sku, priceAmount, currency = 'EUR'] of skus)
    await shop
      .deps('orders')
      .db.insert(products)
      .values({ sku, productId: uuidv7(), name: sku, priceAmount, currency, version: 1 })
}

/** Places an order and returns it. */
export async function place(
  shop: TestShop,
  user: User,
  body: unknown = newOrder(),
  send: Send = {},
): Promise<Order> {
  return shop.create('/orders', { as: user, body, ...send })
}

/** Sets the status of an order in the database. */
export const putStatus = (shop: TestShop, id: string, status: Order['status']) =>
  shop.deps('orders').db.update(orders).set({ status }).where(eq(orders.id, id))
