import { uuidv7 } from 'uuidv7'
import type { Fixtures } from '../../test/contract/fixtures.ts'
import type domain from './domain.ts'

const newPot = () => ({
  sku: `POT-${uuidv7()}`,
  name: 'Pot',
  category: 'kitchen',
  price: { amount: 1200, currency: 'EUR' },
})

export default {
  bodies: {
    'create-product': () => {
      const pot = newPot()
      return [pot, { ...pot, name: 'Pan' }]
    },
    'update-product': [{ name: 'Mug' }, { name: 'Cup' }],
  },
  resources: {
    '/api/v1/products/{id}': {
      owner: 'seller',
      notFound: 'The shop has no such product.',
      create: async (shop) => {
        const { id } = await shop.create('/products', { as: 'seller', body: newPot() })
        return { parameters: { id } }
      },
    },
  },
} satisfies Fixtures<typeof domain>
