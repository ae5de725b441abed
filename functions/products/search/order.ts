import type { CursorValue } from '../../shared/http/paging.ts'
import type { Found } from './search-index.ts'

/** In which orders products are listed. Everything here is pure. */

export const sorts = ['relevance', 'newest', 'price', '-price', 'name', 'rating'] as const

type Position = readonly CursorValue[]

export interface Order {
  /** The values by which a row is sorted, which make up the cursor. The last is unique. */
  position: (row: Found) => CursorValue[]
  types: ('string' | 'number')[]
  /** For each value, whether it rises or falls. */
  directions: (1 | -1)[]
}

const byPrice = {
  position: ({ entry: { price, id } }) => [price.currency, price.amount, id],
  types: ['string', 'number', 'string'],
} satisfies Partial<Order>

/** Each order ends with the id. As a UUIDv7, it also sorts by the time of creation. */
export const orders: Record<(typeof sorts)[number], Order> = {
  relevance: {
    position: ({ score, entry }) => [score, entry.id],
    types: ['number', 'string'],
    directions: [-1, -1],
  },
  newest: { position: ({ entry }) => [entry.id], types: ['string'], directions: [-1] },
  price: { ...byPrice, directions: [1, 1, 1] },
  '-price': { ...byPrice, directions: [-1, -1, -1] },
  name: {
    position: ({ entry }) => [entry.nameKey, entry.id],
    types: ['string', 'string'],
    directions: [1, 1],
  },
  // of the same average, that of more people
  rating: {
    position: ({ entry }) => [entry.stars, entry.reviews, entry.id],
    types: ['number', 'number', 'string'],
    directions: [-1, -1, -1],
  },
}

/** Returns less than 0 if the first position comes first. */
function compare({ directions }: Order, a: Position, b: Position): number {
  for (const [i, direction] of directions.entries())
    if (a[i]! < b[i]!) return -direction
    else if (a[i]! > b[i]!) return direction
  return 0
}

/**
 * Returns the first rows of an order. It begins with the last of the given ones, which are the newest: most orders prefer
 * them, and then the others only have to be compared.
 * @param after the position after which they come
 */
export function firstOf(order: Order, rows: readonly Found[], count: number, after?: Position): Found[] {
  const first: { row: Found; at: Position }[] = []
  for (let i = rows.length - 1; i >= 0; i--) {
    const row = rows[i]!
    const at = order.position(row)
    if (after !== undefined && compare(order, at, after) <= 0) continue
    const last = first.at(-1)
    if (first.length === count && last !== undefined && compare(order, at, last.at) > 0) continue
    const place = first.findLastIndex((each) => compare(order, each.at, at) < 0) + 1
    first.splice(place, 0, { row, at })
    if (first.length > count) first.pop()
  }
  return first.map(({ row }) => row)
}
