import { uuidv7 } from 'uuidv7'
import type { EventData } from '../../events/event.ts'
import type { Fixtures } from '../../test/contract/fixtures.ts'
import { newOrder } from '../../demo/client/orders.ts'
import type { Send, TestShop } from '../../test/shop.ts'
import type domain from './domain.ts'

const taxed = (gross: number) => {
  const tax = Math.floor((2 * gross * 1900 + 11_900) / (2 * 11_900))
  return { net: gross - tax, taxRate: 1900, tax, gross }
}

/** Returns what is heard of a new order: by default of three mugs and a saw, and of their shipping. */
export function placed(
  customerId: string,
  {
    orderId = uuidv7(),
    lines = [
      { sku: 'MUG', quantity: 3, gross: 2_000 },
      { sku: 'SAW', quantity: 1, gross: 3_999 },
    ],
    shipping = 490,
  } = {},
): EventData<'order.placed'> {
  const total = lines.reduce((sum, { gross }) => sum + gross, shipping)
  return {
    orderId,
    customerId,
    lines: lines.map(({ sku, quantity, gross }) => ({
      sku,
      quantity,
      unitPrice: 0,
      discount: 0,
      ...taxed(gross),
    })),
    prices: 'gross',
    shipping: taxed(shipping),
    total: { amount: total, currency: 'EUR' },
  }
}

/** Puts an order into the queue. Returns its id, which is the shipment's. */
export async function queue(
  shop: Pick<TestShop, 'react' | 'users'>,
  more: Parameters<typeof placed>[1] = {},
  customerId = shop.users.customer.id,
): Promise<string> {
  const order = placed(customerId, more)
  await shop.react('queue-shipment', 'order.placed', order)
  await shop.react('queue-shipment', 'order.confirmed', { orderId: order.orderId })
  return order.orderId
}

/** Takes a shipment. */
const take = (shop: TestShop, id: string, as: Send['as'] = 'staff') =>
  shop.post(`/shipments/${id}/taking`, { as })

/** Who has taken a shipment last, by its id in small letters. */
const holders = new Map<string, Send['as']>()

/** Takes a shipment for another worker. */
async function handOver(shop: TestShop, as: Send['as'], { id }: Readonly<Record<string, string>>) {
  const shipment = id!.toLowerCase()
  if (holders.has(shipment)) await shop.delete(`/shipments/${shipment}/taking`, { as: holders.get(shipment) })
  holders.set(shipment, as)
  await take(shop, shipment, as)
}

export const dispatch = { carrier: 'Bike courier', trackingNumber: 'BC-4711' }

export default {
  bodies: {
    'pack-parcel': [{ items: [{ sku: 'MUG', quantity: 1 }] }, { items: [{ sku: 'MUG', quantity: 2 }] }],
    'ship-parcel': [dispatch, { ...dispatch, trackingNumber: 'BC-4712' }],
    'fail-parcel': [{ reason: 'refused' }, { reason: 'lost' }],
  },
  resources: {
    '/api/v1/shipments/{id}': {
      owner: 'customer',
      notFound: 'There is no shipment with this id.',
      create: async (shop) => {
        // more than any test packs
        const id = await queue(shop, { lines: [{ sku: 'MUG', quantity: 10_000, gross: 900_000 }] })
        return { parameters: { id } }
      },
    },
    '/api/v1/shipments/{id}/parcels/{parcelId}': {
      notFound: 'There is no such parcel.',
      create: async (shop) => {
        // a label is made for an order with an address
        const { id } = await shop.create('/orders', {
          as: 'customer',
          body: newOrder([{ sku: 'MUG', quantity: 2 }]),
        })
        await queue(shop, { orderId: id })
        await take(shop, id)
        const body = { items: [{ sku: 'MUG', quantity: 1 }] }
        const { id: parcelId } = await shop.create(`/shipments/${id}/parcels`, { as: 'staff', body })
        return { parameters: { id, parcelId } }
      },
    },
  },
  parameters: {
    parcelId: { values: ['x', '1', '%20', 'null', "'--"], detail: 'Invalid UUID' },
  },
  // only who has taken a shipment packs it
  ready: { 'pack-parcel': handOver },
} satisfies Fixtures<typeof domain>
