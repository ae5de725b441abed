import { uuidv7 } from 'uuidv7'
import type { Fixtures } from '../../test/contract/fixtures.ts'
import type { TestShop } from '../../test/shop.ts'
import type { User } from '../shared/auth/access-token.ts'
import type { Role } from '../shared/domain.ts'
import type domain from './domain.ts'

/** Places an order of a customer, as the notifications domain hears of it. Returns the order's id. */
export async function orderOf(shop: TestShop, customerId: string): Promise<string> {
  const orderId = uuidv7()
  await shop.react('notify-customer', 'order.placed', {
    orderId,
    customerId,
    lines: [{ sku: 'MUG', quantity: 2 }],
    total: { amount: 1800, currency: 'EUR' },
  })
  return orderId
}

/** Returns the body of a new webhook endpoint with a URL of its own. */
export const newEndpoint = (more: object = {}) => ({
  url: `https://example.com/${uuidv7()}`,
  events: ['order.placed', 'order.cancelled', 'stock.low'],
  ...more,
})

/** Adds a webhook endpoint. If its owner has many, the oldest goes. Returns it with its secret. */
export async function endpointOf(shop: TestShop, as: User | Role = 'seller', body = newEndpoint()) {
  await makeRoom(shop, as)
  return shop.create('/webhook-endpoints', { as, body })
}

async function makeRoom(shop: TestShop, as: User | Role) {
  const { body } = await shop.get('/webhook-endpoints?limit=100', { as })
  // whoever may not have one has none
  for (const { id } of (body.items ?? []).slice(7)) await shop.delete(`/webhook-endpoints/${id}`, { as })
}

/** Returns a seller of its own for an endpoint that must stay: the shop's seller adds others, for which the oldest go. */
const anotherSeller = (shop: TestShop): User => ({ ...shop.users.seller, id: uuidv7() })

/** Announces a product of a seller, as the products domain does. Returns its SKU. */
export async function productOf(shop: TestShop, sellerId: string): Promise<string> {
  const sku = uuidv7().toUpperCase()
  const price = { amount: 900, currency: 'EUR' }
  const product = { productId: uuidv7(), sku, name: 'Mug', price, sellerId, version: 1 }
  await shop.react('keep-seller', 'product.created', product)
  return sku
}

/** Places an order with lines of sellers. Returns the order's id. */
export async function orderWith(shop: TestShop, ...skus: string[]): Promise<string> {
  const orderId = uuidv7()
  await shop.react('notify-customer', 'order.placed', {
    orderId,
    customerId: uuidv7(),
    lines: skus.map((sku, i) => ({ sku, quantity: i + 1, unitPrice: 900 })),
    prices: 'gross',
    total: { amount: 1800, currency: 'EUR' },
  })
  return orderId
}

export default {
  bodies: {
    'create-webhook-endpoint': () => [newEndpoint(), newEndpoint()],
    'update-webhook-endpoint': [{ description: 'Our ERP' }, { events: ['stock.low'] }],
    'read-all-notifications': [{}, { upTo: 1 }],
    'update-mail-preferences': [{ mails: false }, { mails: true }],
  },
  parameters: {
    deliveryId: {
      values: ['x', '1', '%20', 'null', '01999d3c-7b57-7d0c-8d1c'],
      detail: 'Invalid UUID',
    },
    token: {
      values: ['x', '1', '%20', '%ff', '%zz', 'null', "'--", 'a'.repeat(101)],
      detail: 'the end of a link in a mail',
    },
  },
  // more than one page of those who have no others
  prepare: async (shop) => {
    for (let i = 0; i < 3; i++) await endpointOf(shop)
  },
  ready: {
    'create-webhook-endpoint': makeRoom,
  },
  resources: {
    '/api/v1/webhook-endpoints/{id}': {
      owner: 'seller',
      notFound: 'There is no webhook endpoint with this id.',
      create: async (shop) => {
        const owner = anotherSeller(shop)
        const { id } = await endpointOf(shop, owner)
        const sku = await productOf(shop, owner.id)
        for (let orders = 0; orders < 3; orders++) await orderWith(shop, sku)
        return { parameters: { id }, owner: owner.id }
      },
    },
    '/api/v1/webhook-endpoints/{id}/deliveries/{deliveryId}': {
      owner: 'seller',
      notFound: 'There is no such delivery, or it is older than 30 days.',
      create: async (shop) => {
        const owner = anotherSeller(shop)
        const { id } = await endpointOf(shop, owner)
        await orderWith(shop, await productOf(shop, owner.id))
        const { body } = await shop.get(`/webhook-endpoints/${id}/deliveries`, { as: owner })
        return { parameters: { id, deliveryId: body.items[0].id }, owner: owner.id }
      },
    },
    '/api/v1/notifications/{id}': {
      owner: 'customer',
      notFound: 'There is no notification with this id.',
      create: async (shop) => {
        const orderId = await orderOf(shop, shop.users.customer.id)
        await shop.react('notify-customer', 'order.confirmed', { orderId })
        const { body } = await shop.get('/notifications', { as: 'customer' })
        return { parameters: { id: body.items[0].id } }
      },
    },
    '/api/v1/unsubscribe/{token}': {
      notFound: 'There is no such link: copy all of it from the mail.',
      create: async (shop) => ({
        parameters: { token: shop.deps('notifications').unsubscribing.tokenFor(shop.users.customer.id) },
      }),
    },
  },
} satisfies Fixtures<typeof domain>
