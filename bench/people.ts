import { randomUUID } from 'node:crypto'
import { demoPassword } from '../local/people.ts'
import { json } from './harness.ts'

/** Where it is. */
export interface Shop {
  url: string
}

/** Registers a customer and logs in. */
export async function customer(shop: Shop): Promise<string> {
  const account = { email: `${randomUUID()}@example.com`, password: randomUUID() }
  await json(`${shop.url}/api/v1/users`, 'POST', undefined, { ...account, name: 'Bench' })
  return logIn(shop, account)
}

/** Sees to it that the stock lasts. */
export async function stockUp(shop: Shop, password = demoPassword): Promise<void> {
  const token = await logIn(shop, { email: 'staff@example.com', password })
  const received = { quantity: 1_000_000, reason: 'received' }
  await json(`${shop.url}/api/v1/stock/MUG-BLUE/adjustments`, 'POST', token, received)
}

async function logIn({ url }: Shop, account: { email: string; password: string }): Promise<string> {
  return (await json<{ accessToken: string }>(`${url}/api/v1/sessions`, 'POST', undefined, account))
    .accessToken
}

export const newOrder = (cardToken = 'card_approved') => ({
  lines: [{ sku: 'MUG-BLUE', quantity: 1 }],
  deliveryAddress: { name: 'B', street: 'Werkstraße 1', postalCode: '10115', city: 'Berlin', country: 'DE' },
  payment: { cardToken },
})
