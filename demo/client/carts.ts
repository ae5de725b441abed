import type { Client, Schemas } from './client.ts'
import { good } from './good.ts'
import { address } from './orders.ts'

/** Sets the quantity of a product in the caller's cart. */
export const putIntoCart = (who: Client, sku: string, quantity: number) =>
  good(who.PUT('/carts/current/items/{sku}', { params: { path: { sku } }, body: { quantity } }))

export const readCart = (who: Client) => good(who.GET('/carts/current'))

/** Returns the body of a request to check out a cart whose subtotal the customer has seen. */
export const checkoutOf = (
  expectedSubtotal: Schemas['Subtotal'],
  cardToken = 'card_approved',
): Schemas['Checkout'] => ({ expectedSubtotal, deliveryAddress: address, payment: { cardToken } })

/** Orders what is in the customer's cart. Returns the order. */
export async function checkOut(customer: Client, cardToken?: string) {
  const { subtotal } = await readCart(customer)
  // an empty cart is refused, whatever the customer expects
  const body = checkoutOf(subtotal ?? { amount: 0, currency: 'EUR' }, cardToken)
  return good(customer.POST('/carts/current/checkout', { body }))
}
