import { uuidv7 } from 'uuidv7'
import type { Fixtures } from '../../test/contract/fixtures.ts'
import type domain from './domain.ts'

export default {
  bodies: {
    'adjust-stock': [
      { quantity: 5, reason: 'received' },
      { quantity: 6, reason: 'received' },
    ],
    'update-stock': [{ threshold: 3 }, { threshold: null }],
  },
  resources: {
    '/api/v1/stock/{sku}': {
      owner: 'seller',
      notFound: 'The shop has no such SKU.',
      create: async (shop) => {
        const sku = uuidv7()
        const price = { amount: 900, currency: 'EUR' }
        const sellerId = shop.users.seller.id
        const product = { productId: uuidv7(), sku, name: 'Mug', price, sellerId, version: 1 }
        await shop.react('open-stock', 'product.created', product)
        for (const quantity of [20, -2]) {
          const body = { quantity, reason: 'correction' }
          await shop.create(`/stock/${sku}/adjustments`, { as: 'seller', body })
        }
        return { parameters: { sku } }
      },
    },
  },
} satisfies Fixtures<typeof domain>
