import { uuidv7 } from 'uuidv7'
import type { Fixtures } from '../../test/contract/fixtures.ts'
import type { TestShop } from '../../test/shop.ts'
import type { Bill } from '../shared/schemas/bill.ts'
import type domain from './domain.ts'

/** Returns what orders leave of an order of two mugs, shipped to Germany. */
export const newBill = (customerId: string, more: Partial<Bill> = {}): Bill => ({
  customerId,
  currency: 'EUR',
  prices: 'gross',
  placedAt: '2026-11-20T08:00:00.000Z',
  shippedAt: '2026-11-21T09:30:00.000Z',
  address: {
    name: 'Ada Lovelace',
    street: '12 St James’s Square',
    postalCode: '10115',
    city: 'Berlin',
    country: 'DE',
  },
  lines: [
    {
      sku: 'MUG',
      name: 'Enamel mug',
      quantity: 2,
      unitPrice: 1290,
      discount: 0,
      net: 2168,
      taxRate: 1900,
      tax: 412,
      gross: 2580,
    },
  ],
  shipping: { name: 'Parcel', net: 412, taxRate: 1900, tax: 78, gross: 490 },
  ...more,
})

/** What a bill adds up to. */
export const totalOf = ({ lines, shipping, currency }: Bill) => ({
  amount: lines.reduce((sum, { gross }) => sum + gross, shipping?.gross ?? 0),
  currency,
})

/** Leaves a bill, as ship-order does, and returns the event that its payment is captured. */
export async function captured(shop: TestShop, bill: Bill) {
  const [orderId, paymentId] = [uuidv7(), uuidv7()]
  await shop.leaveSecret('invoices', orderId, JSON.stringify(bill))
  return shop.eventOf('payment.captured', { orderId, paymentId, amount: totalOf(bill) })
}

export default {
  bodies: {},
  resources: {
    '/api/v1/invoices/{id}': {
      owner: 'customer',
      notFound: 'There is no invoice with this id.',
      create: async (shop) => {
        const event = await captured(shop, newBill(shop.users.customer.id))
        await shop.handle('issue-invoice', event)
        const { body } = await shop.get(`/invoices?orderId=${event.data.orderId}`, { as: 'customer' })
        return { parameters: { id: body.items[0].id } }
      },
    },
  },
  prepare: async (shop) => {
    // so that the list has several pages
    for (let i = 0; i < 2; i++)
      await shop.handle('issue-invoice', await captured(shop, newBill(shop.users.customer.id)))
  },
} satisfies Fixtures<typeof domain>
