import { uuidv7 } from 'uuidv7'
import type { Fixtures } from '../../test/contract/fixtures.ts'
import type domain from './domain.ts'

const newCategory = () => ({ name: 'Kitchen', slug: `kitchen-${uuidv7()}` })

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
    'create-category': () => {
      const category = newCategory()
      return [category, { ...category, name: 'Cooking' }]
    },
    'update-category': [{ name: 'Kitchens' }, { name: 'Cooking' }],
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
    '/api/v1/sellers/{id}': {
      notFound: 'Nothing is for sale by this seller.',
      create: async (shop) => {
        const { sellerId } = await shop.create('/products', { as: 'seller', body: newPot() })
        return { parameters: { id: sellerId } }
      },
    },
    '/api/v1/categories/{id}': {
      notFound: 'The shop has no such category.',
      create: async (shop) => {
        const { id } = await shop.create('/categories', { as: 'admin', body: newCategory() })
        return { parameters: { id } }
      },
    },
  },
} satisfies Fixtures<typeof domain>
