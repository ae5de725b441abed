import { uuidv7 } from 'uuidv7'
import type { Fixtures } from '../../test/contract/fixtures.ts'
import type { Send, TestShop } from '../../test/shop.ts'
import type domain from './domain.ts'

const newCategory = () => ({ name: 'Kitchen', slug: `kitchen-${uuidv7()}` })

const newPot = () => ({
  sku: `POT-${uuidv7()}`,
  name: 'Pot',
  category: 'kitchen',
  price: { amount: 1200, currency: 'EUR' },
})

/** Lets a customer review products: an order with them is completed. */
export async function buy(shop: TestShop, customerId: string, ...skus: string[]): Promise<string> {
  const orderId = uuidv7()
  const lines = skus.map((sku) => ({ sku, quantity: 1 }))
  const total = { amount: 1_200, currency: 'EUR' }
  await shop.react('track-purchase', 'order.placed', { orderId, customerId, lines, total })
  await shop.react('track-purchase', 'order.completed', { orderId })
  return orderId
}

/** Makes sure that the caller has bought every product, and reviewed none. */
async function readyToReview(shop: TestShop, as: NonNullable<Send['as']>) {
  const { products, reviews } = shop.deps('products')
  const { id } = typeof as === 'string' ? shop.users[as] : as
  await buy(shop, id, ...(await products.distinct('sku')))
  // a request that has created one is replayed
  await reviews.updateMany({ authorId: id }, { $unset: { authorId: '' } })
}

export default {
  bodies: {
    'create-product': () => {
      const pot = newPot()
      return [pot, { ...pot, name: 'Pan' }]
    },
    'update-product': [{ name: 'Mug' }, { name: 'Cup' }],
    'create-review': [{ stars: 5, title: 'Good', text: 'It holds water.' }, { stars: 1 }],
    'update-review': [{ stars: 4 }, { title: 'Fair', text: 'It leaks a bit.' }],
    'answer-review': [{ text: 'Thank you.' }, { text: 'Send it back to us, please.' }],
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
        const { id, sku } = await shop.create('/products', { as: 'seller', body: newPot() })
        for (const user of [shop.newUser(), shop.newUser(), shop.newUser()]) {
          await buy(shop, user.id, sku)
          await shop.create(`/products/${id}/reviews`, { as: user, body: { stars: 4 } })
        }
        return { parameters: { id } }
      },
    },
    '/api/v1/products/{id}/reviews/{reviewId}': {
      owner: 'customer',
      notFound: 'There is no such review.',
      create: async (shop) => {
        const { id, sku } = await shop.create('/products', { as: 'seller', body: newPot() })
        // someone whose reviews nothing else changes
        const user = shop.newUser()
        await buy(shop, user.id, sku)
        const body = { stars: 3 }
        const { id: reviewId } = await shop.create(`/products/${id}/reviews`, { as: user, body })
        return { parameters: { id, reviewId }, owner: user.id }
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
  ready: { 'create-review': readyToReview },
  parameters: {
    reviewId: { values: ['x', '1', '%20', '%ff', 'null', "'--"], detail: 'Invalid UUID' },
  },
} satisfies Fixtures<typeof domain>
