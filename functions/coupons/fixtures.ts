import { uuidv7 } from 'uuidv7'
import type { Fixtures } from '../../test/contract/fixtures.ts'
import type domain from './domain.ts'

/** Returns the body of a new coupon with a code of its own. */
export const newCoupon = (more: object = {}) => ({
  code: `C-${uuidv7().slice(-29)}`,
  discount: { percent: 10 },
  ...more,
})

const basket = {
  couponCodes: ['FIXTURE'],
  currency: 'EUR',
  lines: [{ sku: 'MUG', quantity: 2, unitPrice: 900 }],
}

export default {
  bodies: {
    'create-coupon': () => {
      const coupon = newCoupon()
      return [coupon, { ...coupon, discount: { percent: 20 } }]
    },
    'update-coupon': [{ maxPerUser: 2 }, { maxInAll: null }],
    'quote-coupons': [basket, { ...basket, currency: 'USD' }],
    'redeem-coupons': [
      { ...basket, request: 'a' },
      { ...basket, request: 'b' },
    ],
  },
  resources: {
    '/api/v1/coupons/{id}': {
      notFound: 'There is no coupon with this id.',
      create: async (shop) => {
        const { id } = await shop.create('/coupons', { as: 'staff', body: newCoupon() })
        return { parameters: { id } }
      },
    },
  },
  prepare: (shop) => shop.create('/coupons', { as: 'staff', body: { ...newCoupon(), code: 'FIXTURE' } }),
} satisfies Fixtures<typeof domain>
