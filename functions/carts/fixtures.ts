import { uuidv7 } from 'uuidv7'
import { address } from '../../demo/client/orders.ts'
import type { Fixtures } from '../../test/contract/fixtures.ts'
import type { Send, TestShop } from '../../test/shop.ts'
import type domain from './domain.ts'

const price = { amount: 900, currency: 'EUR' }

/** Returns the body of a checkout, by default of a cart with a mug. */
export const checkout = (expectedSubtotal = price, cardToken = 'card_approved') => ({
  expectedSubtotal,
  deliveryAddress: address,
  payment: { cardToken },
})

/** Makes sure that the caller's cart contains a mug. */
const putMug = (shop: TestShop, as: Send['as']) =>
  shop.put('/carts/current/items/MUG', { as, body: { quantity: 1 } })

export default {
  bodies: {
    'set-cart-item': [{ quantity: 1 }, { quantity: 2 }],
    'checkout-cart': [checkout(), { ...checkout(), note: 'ring twice' }],
  },
  resources: {
    '/api/v1/carts/current/items/{sku}': {
      owner: 'customer',
      notFound:
        'There is no such item. Check the SKU: the shop may not sell it, or the cart may not have it.',
      create: async (shop) => {
        await putMug(shop, 'customer')
        return { parameters: { sku: 'MUG' } }
      },
    },
  },
  ready: { 'remove-cart-item': putMug, 'checkout-cart': putMug },
  prepare: (shop) =>
    shop.react('project-price', 'product.created', {
      productId: uuidv7(),
      sku: 'MUG',
      name: 'Mug',
      price,
      sellerId: shop.users.seller.id,
      version: 1,
    }),
} satisfies Fixtures<typeof domain>
