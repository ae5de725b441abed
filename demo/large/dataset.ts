import { createHash } from 'node:crypto'
import type { NewProduct } from '../../functions/products/product.ts'
import { seeded } from '../scale/seeded.ts'
import { addressOf, colours, goods, makers, personName, pick } from './names.ts'

/** The data of a large shop. It is the same in each run with the same sizes and start, so that a run can be resumed. */

export interface Sizes {
  products: number
  users: number
  orders: number
  /** How many of the orders are placed through the API, so that they are still under way. */
  fresh: number
}

export const largeSizes: Sizes = { products: 10_000, users: 1_000, orders: 50_000, fresh: 100 }

const dayMs = 86_400_000
/** How long ago the first order was placed. */
export const yearMs = 365 * dayMs

/**
 * Returns a UUIDv7 of a time that is the same in each run.
 * @param what tells it from the others of this time
 */
export function idOf(at: Date, what: string): string {
  const digest = createHash('sha256').update(what).digest('hex')
  const time = at.getTime().toString(16).padStart(12, '0')
  const variant = '89ab'[Number.parseInt(digest[3]!, 16) % 4]!
  return `${time.slice(0, 8)}-${time.slice(8)}-7${digest.slice(0, 3)}-${variant}${digest.slice(4, 7)}-${digest.slice(8, 20)}`
}

export const skuOf = (n: number) => `LARGE-${String(n + 1).padStart(5, '0')}`

/** The price of the nth product, in cents. */
export const priceOf = (n: number) => pick(goods, n)[2] + 10 * (n % 97)

export const productNameOf = (n: number) => `${pick(goods, n)[1]} ${pick(makers, n >> 4)} ${n + 1}`

/** The nth product, as it is imported. */
export function productOf(n: number): NewProduct {
  const [category, thing] = pick(goods, n)
  const colour = pick(colours, n >> 3)
  return {
    sku: skuOf(n),
    name: productNameOf(n),
    description: `${thing} by ${pick(makers, n >> 4)}, in ${colour}.`,
    category,
    price: { amount: priceOf(n), currency: 'EUR' },
    weightGrams: 100 + 10 * (n % 140),
    attributes: { colour, maker: pick(makers, n >> 4), year: 2020 + (n % 7) },
    tags: n % 9 === 0 ? ['new'] : [],
  }
}

/** How many pieces of the nth product there are after all orders. */
export const stockOf = (n: number) => 20 + (n % 80)

export interface Shopper {
  n: number
  id: string
  email: string
  name: string
  at: Date
  address: ReturnType<typeof addressOf>
}

export const emailOf = (n: number) => `shopper-${String(n + 1).padStart(4, '0')}@example.com`

/**
 * The shoppers, in the order in which they have registered.
 * @param end the time of the first run: everything happened in the year before
 */
export function shoppersOf({ users }: Sizes, end: Date): Shopper[] {
  const first = end.getTime() - yearMs - dayMs
  return Array.from({ length: users }, (_, n) => {
    // most of the first day's are there before the first order
    const at = new Date(first + Math.floor((n / users) * 0.8 * yearMs))
    return {
      n,
      id: idOf(at, `shopper ${n}`),
      email: emailOf(n),
      name: personName(n),
      at,
      address: addressOf(n),
    }
  })
}

/** How an order has ended. */
export const endings = ['completed', 'refunded', 'declined', 'sold-out', 'cancelled', 'not-shipped'] as const
export type Ending = (typeof endings)[number]

/** Of 100 orders, up to which one ends so. */
const shares: readonly (readonly [Ending, number])[] = [
  ['completed', 82],
  ['refunded', 86],
  ['declined', 91],
  ['sold-out', 93],
  ['cancelled', 98],
  ['not-shipped', 100],
]

export interface PastOrder {
  n: number
  id: string
  shopper: Shopper
  ending: Ending
  lines: { product: number; quantity: number }[]
  placedAt: Date
  /** How long it took until it was shipped, or given up, in ms. */
  lastedMs: number
}

/** Yields the orders of the past year, oldest first. */
export function* pastOrders(
  { products, users, orders, fresh }: Sizes,
  shoppers: readonly Shopper[],
  end: Date,
): Generator<PastOrder> {
  const random = seeded(1)
  const past = orders - fresh
  for (let n = 0; n < past; n++) {
    // a few more each month
    const placedAt = new Date(end.getTime() - yearMs + Math.floor(yearMs * (n / past) ** 0.8))
    const elapsed = placedAt.getTime() - shoppers[0]!.at.getTime()
    const known = Math.max(1, Math.min(users, Math.floor((elapsed / (0.8 * yearMs)) * users)))
    const shopper = shoppers[Math.floor(random() * known)]!
    const chosen = new Set<number>()
    const wanted = 1 + Math.floor(random() ** 2 * 5)
    // some products sell better than others
    while (chosen.size < Math.min(wanted, products)) chosen.add(Math.floor(random() ** 2 * products))
    const lot = Math.floor(random() * 100)
    yield {
      n,
      id: idOf(placedAt, `order ${n}`),
      shopper,
      ending: shares.find(([, upTo]) => lot < upTo)![0],
      lines: [...chosen].map((product) => ({ product, quantity: 1 + Math.floor(random() ** 3 * 3) })),
      placedAt,
      // all have ended by now
      lastedMs: Math.floor(
        Math.min(2 * dayMs * (0.1 + random()), (end.getTime() - placedAt.getTime()) * 0.8),
      ),
    }
  }
}

/** Whether an order has bought what it reserved. */
export const isSold = (ending: Ending) => ending === 'completed' || ending === 'refunded'
