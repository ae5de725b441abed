import { eq } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { address, newOrder as orderOf } from '../demo/client/orders.ts'
import { orders, products, type Order } from '../functions/orders/order.ts'
import type { User } from '../functions/shared/auth/access-token.ts'
import type { Answered, Send, TestShop } from './shop.ts'

export { address }

/** The body of an order, of two mugs if nothing else is said. */
export const newOrder = (lines = [{ sku: 'MUG', quantity: 2 }], cardToken?: string) =>
  orderOf(lines, cardToken)

/** Adds products to those that the orders domain knows, as the projection would. */
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
  const answer: Answered = await shop.post('/orders', { as: user, body, ...send })
  if (answer.status !== 201) throw new Error(`${answer.status}: ${answer.text}`)
  return answer.body as Order
}

/** Sets an order's status, whatever it was. */
export const putStatus = (shop: TestShop, id: string, status: Order['status']) =>
  shop.deps('orders').db.update(orders).set({ status }).where(eq(orders.id, id))
