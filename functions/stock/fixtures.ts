import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { seedStock } from '../../demo/seed-stock.ts'
import type { EventData, EventType, ShopEvent } from '../../events/catalogue.ts'
import { openReaction, type Reaction } from '../../events/reaction.ts'
import type { Fixtures } from '../../test/contract/fixtures.ts'
import type { TestShop } from '../../test/shop.ts'
import type { Db } from '../shared/store/postgres.ts'
import type domain from './domain.ts'
import { events } from './events.ts'

/** Returns new SKUs with these quantities. */
export async function stocked(shop: TestShop, ...quantities: number[]): Promise<string[]> {
  const sellerId = shop.users.seller.id
  const stock = quantities.map((quantity) => ({ sku: randomUUID().toUpperCase(), sellerId, quantity }))
  await seedStock(shop.deps('stock').db, stock)
  return stock.map(({ sku }) => sku)
}

/** Returns what there is of an SKU. */
export async function account(shop: TestShop, sku: string) {
  const { available, reserved, sold } = (await shop.get(`/stock/${sku}`)).body
  return { available, reserved, sold }
}

/** Returns what delivers an event over a pool of connections, as several instances of the reaction would. */
export const delivering =
  (shop: TestShop, db: Db) =>
  async <T extends EventType>(reaction: Reaction, type: T, data: EventData<T>): Promise<void> => {
    const event: ShopEvent<T> = { id: uuidv7(), type, source: '', subject: '', time: new Date(), data }
    await openReaction(reaction, { ...shop.deps('stock'), db }, { domain: 'stock', emits: events })(event)
  }

/** Returns a random whole number from 0 up to, but not including, n. */
export const random = (n: number) => Math.floor(Math.random() * n)

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
