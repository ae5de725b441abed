import { uuidv7 } from 'uuidv7'
import { address, newOrder as orderOf } from '../../demo/client/orders.ts'
import type { Fixtures } from '../../test/contract/fixtures.ts'
import type domain from './domain.ts'

/** Returns the body of a new order, by default of two mugs. */
export const newOrder = (lines = [{ sku: 'MUG', quantity: 2 }], cardToken?: string) =>
  orderOf(lines, cardToken)

export default {
  bodies: {
    'create-order': [newOrder(), newOrder([{ sku: 'MUG', quantity: 3 }])],
    'add-tax-rate': [
      { country: 'DE', taxClass: 'standard', rate: 2000, validFrom: '2999-01-01' },
      { country: 'DE', taxClass: 'standard', rate: 2100, validFrom: '2999-01-01' },
    ],
    'update-order': [{ note: 'ring twice' }, { deliveryAddress: address }],
    'cancel-order': [{ reason: 'changed my mind' }, {}],
    'decide-order': [{ decision: 'part' }, { decision: 'wait' }],
    'create-note': [{ text: 'When will it come?' }, { text: 'On Monday.', visibility: 'customer' }],
    'ship-order': [{ carrier: 'Bike courier' }, {}],
  },
  resources: {
    '/api/v1/orders/{id}': {
      owner: 'customer',
      notFound: 'There is no order with this id.',
      endedBy: ['cancel-order', 'ship-order'],
      create: async (shop) => {
        const { id } = await shop.create('/orders', { as: 'customer', body: newOrder() })
        return { parameters: { id } }
      },
    },
  },
  prepare: (shop) =>
    shop.react('project-product', 'product.created', {
      productId: uuidv7(),
      sku: 'MUG',
      name: 'Mug',
      price: { amount: 900, currency: 'EUR' },
      sellerId: shop.users.seller.id,
      version: 1,
    }),
} satisfies Fixtures<typeof domain>
