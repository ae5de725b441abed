import type { Client, Schemas } from './client.ts'
import { good } from './good.ts'

export type Line = Schemas['NewOrder']['lines'][number]

export const address = {
  name: 'Ada',
  street: 'Werkstraße 1',
  postalCode: '10115',
  city: 'Berlin',
  country: 'DE',
}

/** Returns the body of a request for an order. All clients use it. */
export const newOrder = (lines: Line[], cardToken = 'card_approved'): Schemas['NewOrder'] => ({
  lines,
  deliveryAddress: address,
  payment: { cardToken },
})

const at = (id: string) => ({ params: { path: { id } } })

export const placeOrder = (customer: Client, lines: Line[], cardToken?: string) =>
  good(customer.POST('/orders', { body: newOrder(lines, cardToken) }))

export const readOrder = (who: Client, id: string) => good(who.GET('/orders/{id}', at(id)))

export const cancelOrder = (who: Client, id: string, body: Schemas['Cancellation'] = {}) =>
  good(who.POST('/orders/{id}/cancellation', { ...at(id), body }))

export const shipOrder = (staff: Client, id: string, body: Schemas['Shipment'] = {}) =>
  good(staff.POST('/orders/{id}/shipment', { ...at(id), body }))

/** Returns an order's payment, or undefined if there is none yet. */
export async function paymentOf(who: Client, orderId: string): Promise<Schemas['Payment'] | undefined> {
  const { items } = await good(who.GET('/payments', { params: { query: { orderId } } }))
  return items[0]
}
