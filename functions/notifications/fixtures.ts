import { uuidv7 } from 'uuidv7'
import type { Fixtures } from '../../test/contract/fixtures.ts'
import type { TestShop } from '../../test/shop.ts'
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

export default {
  bodies: { 'read-all-notifications': [{}, { upTo: 1 }] },
  resources: {
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
  },
} satisfies Fixtures<typeof domain>
