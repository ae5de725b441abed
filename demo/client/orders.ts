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

/** Returns the body of a request for an order. All clients use it, with `expecting`. */
export const newOrder = (lines: Line[], cardToken = 'card_approved'): Schemas['NewOrder'] => ({
  lines,
  deliveryAddress: address,
  payment: { cardToken },
})

/** Prices by SKU. */
export type Prices = ReadonlyMap<string, Schemas['Money']>

/** Returns the current prices of SKUs. A SKU that the shop does not have is missing. */
export async function readPrices(who: Client, skus: Iterable<string>): Promise<Prices> {
  const priceOf = async (sku: string) => {
    const { items } = await good(who.GET('/products', { params: { query: { sku } } }))
    return items.map(({ price }) => [sku, price] as const)
  }
  return new Map((await Promise.all([...new Set(skus)].map(priceOf))).flat())
}

/**
 * Adds the prices that the customer has seen, and the total. The shop then refuses an order that would cost
 * something else. Returns the order unchanged if a price is not known.
 */
export function expecting(order: Schemas['NewOrder'], prices: Prices): Schemas['NewOrder'] {
  const seen = order.lines.flatMap((line) => prices.get(line.sku) ?? [])
  const [first] = seen
  if (first === undefined || seen.length < order.lines.length) return order
  const lines = order.lines.map((line, i) => ({ ...line, unitPrice: seen[i]!.amount }))
  const amount = lines.reduce((sum, { quantity, unitPrice }) => sum + quantity * unitPrice, 0)
  return { ...order, lines, expectedTotal: { amount, currency: first.currency } }
}

const at = (id: string) => ({ params: { path: { id } } })

/** Places an order at the current prices. */
export async function placeOrder(customer: Client, lines: Line[], cardToken?: string) {
  const skus = lines.map(({ sku }) => sku)
  const body = expecting(newOrder(lines, cardToken), await readPrices(customer, skus))
  return good(customer.POST('/orders', { body }))
}

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
