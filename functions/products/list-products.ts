import * as z from 'zod'
import type { Filter, Sort } from 'mongodb'
import { operation } from '../shared/http/operation.ts'
import { page, pageOf, PageQuery, readCursor, type CursorValue } from '../shared/http/paging.ts'
import { Amount, Currency, Id, Sku, text } from '../shared/schemas/schemas.ts'
import { readCategories, type Trees } from './category-store.ts'
import { CategoryText, withAllBelow } from './category.ts'
import { Product, toProduct, type ProductDocument } from './product.ts'
import { inGroup } from './store.ts'
import { slugOf } from './slug.ts'
import { wantedWords } from './words.ts'

/** How many words of a search count: each is a range of the index. */
const maxWords = 10

const Price = z.coerce.number().pipe(Amount).optional().meta({
  type: 'integer',
  minimum: Amount.minValue!,
  maximum: Amount.maxValue!,
  description: 'In minor units of `currency`, which is needed, too.',
})

const ProductQuery = PageQuery.extend({
  q: z.string().max(200).optional().meta({
    description:
      'Words or beginnings of words. All must occur in the product’s texts or SKU. Of more than ten, the longest ten count.',
  }),
  sku: Sku.optional(),
  category: CategoryText.optional().meta({
    description: 'The slug or name of a category: finds what is in it or below it.',
  }),
  group: Id.optional().meta({ description: 'Finds all variants of a product: the `group` of any of them.' }),
  tag: text(50).toLowerCase().optional(),
  currency: Currency.optional(),
  minPrice: Price,
  maxPrice: Price,
  sort: z
    .enum(['newest', 'price', '-price', 'name'])
    .default('newest')
    .meta({ description: '`price` and `-price` sort by currency first.' }),
}).refine(
  ({ currency, minPrice, maxPrice }) =>
    currency !== undefined || (minPrice === undefined && maxPrice === undefined),
  { path: ['currency'], message: 'needed with minPrice and maxPrice' },
)
type ProductQuery = z.output<typeof ProductQuery>

type ListedProduct = Omit<ProductDocument, 'words' | 'outbox' | 'creation'>

export const listProducts = operation(
  'list-products',
  {
    request: { query: ProductQuery },
    responses: { 200: pageOf(Product, 'ProductPage') },
    headers: ['Link'],
  },
  async ({ query, json, hono }, { products, categories }) => {
    const { keys, direction, position, types } = orders[query.sort]
    const last = readCursor(hono, query.cursor, ...types)
    const rows = await products
      .find<ListedProduct>({
        $and: [await matching(query, categories), last ? after(keys, direction, last) : {}],
      })
      .project<ListedProduct>({ words: 0, outbox: 0, creation: 0 })
      .sort(Object.fromEntries(keys.map((key) => [key, direction])) satisfies Sort)
      .limit(query.limit + 1)
      .toArray()
    const { items, ...next } = page(hono, rows, query.limit, position)
    return json({ items: items.map(toProduct), ...next }, 200)
  },
)

interface Order {
  keys: string[]
  direction: 1 | -1
  /** Returns the values of the keys in a row, which make up the cursor. */
  position: (row: ListedProduct) => CursorValue[]
  types: ('string' | 'number')[]
}

const byPrice = {
  keys: ['price.currency', 'price.amount', '_id'],
  position: ({ price, _id }) => [price.currency, price.amount, _id],
  types: ['string', 'number', 'string'],
} satisfies Partial<Order>

/** Each order ends with the id, which is unique. As a UUIDv7 it also sorts by the time of creation. */
const orders: Record<ProductQuery['sort'], Order> = {
  newest: { keys: ['_id'], direction: -1, position: ({ _id }) => [_id], types: ['string'] },
  price: { ...byPrice, direction: 1 },
  '-price': { ...byPrice, direction: -1 },
  name: {
    keys: ['nameKey', '_id'],
    direction: 1,
    position: ({ nameKey, _id }) => [nameKey, _id],
    types: ['string', 'string'],
  },
}

async function matching(
  { q, sku, group, category, tag, currency, minPrice, maxPrice }: ProductQuery,
  categories: Trees,
): Promise<Filter<ProductDocument>> {
  const filter: Filter<ProductDocument> = group === undefined ? { deletedAt: null } : inGroup(group)
  if (sku !== undefined) filter.sku = sku
  if (category !== undefined) {
    const tree = await readCategories(categories)
    filter.category = { $in: withAllBelow(tree.categories, slugOf(category)) }
  }
  if (tag !== undefined) filter.tags = tag
  if (currency !== undefined) filter['price.currency'] = currency
  if (minPrice !== undefined || maxPrice !== undefined)
    filter['price.amount'] = { $gte: minPrice ?? 0, $lte: maxPrice ?? Number.MAX_SAFE_INTEGER }
  if (q !== undefined && q.trim() !== '') {
    const words = wantedWords(q)
      .toSorted((a, b) => b.length - a.length)
      .slice(0, maxWords)
    if (words.length === 0) filter._id = { $in: [] }
    else filter.$and = words.map(beginning)
  }
  return filter
}

/** Matches words with a prefix. A range uses the index like a regular expression, but needs no escaping. */
const beginning = (word: string): Filter<ProductDocument> => ({
  words: { $elemMatch: { $gte: word, $lt: `${word}\u{10ffff}` } },
})

/** Matches the rows that come after the given values of the keys. */
const after = (keys: string[], direction: 1 | -1, values: CursorValue[]): Filter<ProductDocument> => ({
  $or: keys.map((key, i) => ({
    ...Object.fromEntries(keys.slice(0, i).map((before, j) => [before, values[j]])),
    [key]: { [direction === 1 ? '$gt' : '$lt']: values[i] },
  })),
})
