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
  bodies: {
    'read-all-notifications': [{}, { upTo: 1 }],
    'update-mail-preferences': [{ mails: false }, { mails: true }],
  },
  parameters: {
    token: {
      values: ['x', '1', '%20', '%ff', '%zz', 'null', "'--", 'a'.repeat(101)],
      detail: 'the end of a link in a mail',
    },
  },
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
    '/api/v1/unsubscribe/{token}': {
      notFound: 'There is no such link: copy all of it from the mail.',
      create: async (shop) => ({
        parameters: { token: shop.deps('notifications').unsubscribing.tokenFor(shop.users.customer.id) },
      }),
    },
  },
} satisfies Fixtures<typeof domain>
