import { eq } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { orders, products, type Order } from '../functions/orders/order.ts'
import type { User } from '../functions/shared/auth/access-token.ts'
import type { Answered, Send, TestShop } from './shop.ts'

export const address = {
  name: 'Ada',
  street: 'Werkstraße 1',
  postalCode: '10115',
  city: 'Berlin',
  country: 'DE',
}

/** A body for create-order. */
export const newOrder = (lines = [{ sku: 'MUG', quantity: 2 }], cardToken = 'card_approved') => ({
  lines,
  deliveryAddress: address,
  payment: { cardToken },
})

/** Tells the orders domain of products, as the projection would. */
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

/** Places an order and answers it. */
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

/** Puts an order into a status, without the way there. */
export const putStatus = (shop: TestShop, id: string, status: Order['status']) =>
  shop.deps('orders').db.update(orders).set({ status }).where(eq(orders.id, id))
