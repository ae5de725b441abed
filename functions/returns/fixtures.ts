import { uuidv7 } from 'uuidv7'
import type { Fixtures } from '../../test/contract/fixtures.ts'
import type { TestShop } from '../../test/shop.ts'
import type domain from './domain.ts'

/** The order of which the bodies want to send pieces back. */
const orderId = uuidv7()

/** What two mugs at 12.90 EUR cost. */
const mugs = {
  sku: 'MUG',
  quantity: 2,
  unitPrice: 1290,
  discount: 0,
  net: 2168,
  taxRate: 1900,
  tax: 412,
  gross: 2580,
}

/** Lets an order be known as shipped. */
export async function ship(
  shop: TestShop,
  customerId: string,
  { orderId = uuidv7(), lines = [mugs], at = new Date() } = {},
) {
  const total = { amount: lines.reduce((sum, { gross }) => sum + gross, 0), currency: 'EUR' }
  await shop.react('keep-purchase', 'order.placed', { orderId, customerId, lines, total })
  await shop.handle('keep-purchase', shop.eventOf('order.shipped', { orderId }, { time: at }))
  return orderId
}

const want = (quantity: number) => ({
  orderId,
  items: [{ sku: 'MUG', quantity, reason: 'damaged', note: 'chipped' }],
})

export default {
  bodies: {
    'request-return': [want(1), want(2)],
    'refuse-return': [{ reason: 'used' }, { reason: 'other' }],
    'receive-return': [
      { items: [{ sku: 'MUG', quantity: 1, restock: true }] },
      { items: [{ sku: 'MUG', quantity: 1, restock: false }] },
    ],
  },
  resources: {
    '/api/v1/returns/{id}': {
      owner: 'customer',
      notFound: 'There is no return with this id.',
      create: async (shop) => {
        const orderId = await ship(shop, shop.users.customer.id)
        const { id } = await shop.create('/returns', { as: 'customer', body: { ...want(1), orderId } })
        return { parameters: { id } }
      },
    },
  },
  // other callers than the customer send these bodies, too
  ready: {
    'request-return': async (shop, as) => {
      const user = typeof as === 'string' ? shop.users[as] : as
      await ship(shop, user.id, { orderId, lines: [{ ...mugs, quantity: 10_000 }] })
    },
  },
} satisfies Fixtures<typeof domain>
