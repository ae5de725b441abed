import * as z from 'zod'
import { operation } from '../shared/http/operation.ts'
import { page, pageOf, PageQuery, readCursor } from '../shared/http/paging.ts'
import { Amount, Currency, Id, Sku, text } from '../shared/schemas/schemas.ts'
import { readCategories } from './category-store.ts'
import { CategoryText, withAllBelow, type CategoryState } from './category.ts'
import { availabilities, Product, toProduct } from './product.ts'
import { createFacets, Facets, type Condition } from './search/facets.ts'
import { firstOf, orders, sorts } from './search/order.ts'
import type { Entry, Found } from './search/search-index.ts'
import { slugOf } from '../shared/slug.ts'
import { indexOf } from './search/open-search.ts'
import { productsBy } from './store.ts'
import { wantedWords } from './words.ts'

/** How many words of a search count. */
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
      'Words or beginnings of words. All must occur in the product’s texts or SKU; a word of at least four letters may differ by one edit. Of more than ten, the longest ten count.',
  }),
  sku: Sku.optional(),
  group: Id.optional().meta({ description: 'Finds all variants of a product: the `group` of any of them.' }),
  category: CategoryText.optional().meta({
    description: 'The slug or name of a category: finds what is in it or below it.',
  }),
  tag: text(50).toLowerCase().optional(),
  attribute: z
    .array(
      z
        .string()
        .max(600)
        .regex(/^[^:]+:/, 'a name and a value, such as colour:blue'),
    )
    .max(20)
    .optional()
    .meta({
      description:
        'The name of an attribute or option, a colon, and its value. May be given repeatedly: of one name, any value matches; of several names, each must.',
      example: ['colour:blue', 'size:M'],
    }),
  availability: z.enum(availabilities).optional(),
  currency: Currency.optional(),
  minPrice: Price,
  maxPrice: Price,
  facets: z.enum(['true', 'false']).default('false').meta({
    description: 'Whether to count the products by category, price, attribute, tag and availability.',
  }),
  sort: z.enum(sorts).optional().meta({
    description:
      '`relevance` if `q` is given, otherwise `newest`. `price` and `-price` sort by currency first, `rating` the best first.',
  }),
}).refine(
  ({ currency, minPrice, maxPrice }) =>
    currency !== undefined || (minPrice === undefined && maxPrice === undefined),
  { path: ['currency'], message: 'needed with minPrice and maxPrice' },
)
type ProductQuery = z.output<typeof ProductQuery>

const ProductPage = pageOf(Product, 'ProductPage')
  .extend({ facets: Facets.optional() })
  .meta({ id: 'ProductPage' })

export const listProducts = operation(
  'list-products',
  {
    request: { query: ProductQuery },
    responses: { 200: ProductPage },
    headers: ['Link'],
  },
  async ({ query, json, hono }, { products, categories, search }) => {
    const order = orders[query.sort ?? (query.q === undefined ? 'newest' : 'relevance')]
    const last = readCursor(hono, query.cursor, ...order.types)
    const wantsFacets = query.facets === 'true'
    const needsTree = wantsFacets || query.category !== undefined
    const [index, tree] = await Promise.all([
      query.sku === undefined ? search() : indexOf(products, query.sku),
      needsTree ? readCategories(categories) : undefined,
    ])
    const conditions = conditionsOf(query, tree?.categories ?? [])
    const facets = wantsFacets ? createFacets(index.facets, tree?.categories ?? []) : undefined
    const matching: Found[] = []
    for (const found of index.find(wordsIn(query), query.q)) {
      const failed = failedOf(conditions, found.entry)
      facets?.take(found.entry, failed)
      if (failed.length === 0) matching.push(found)
    }
    const rows = firstOf(order, matching, query.limit + 1, last)
    const { items, ...next } = page(hono, rows, query.limit, order.position)
    const read = await productsBy(
      products,
      items.map(({ entry }) => entry.id),
    )
    return json(
      { items: read.map(toProduct), ...next, ...(facets === undefined ? {} : { facets: facets.result() }) },
      200,
    )
  },
)

/** Returns the words of a search; undefined if there is none. */
function wordsIn({ q = '' }: ProductQuery): string[] | undefined {
  if (q.trim() === '') return undefined
  return wantedWords(q)
    .toSorted((a, b) => b.length - a.length)
    .slice(0, maxWords)
}

const none: readonly string[] = []

/** Returns the facets of the conditions that a product does not fulfil. */
const failedOf = (conditions: readonly Condition[], entry: Entry): readonly string[] =>
  conditions.every(({ holds }) => holds(entry))
    ? none
    : conditions.flatMap(({ facet, holds }) => (holds(entry) ? [] : facet))

function conditionsOf(query: ProductQuery, categories: readonly CategoryState[]): Condition[] {
  const { sku, group, category, tag, attribute = [], availability, currency, minPrice, maxPrice } = query
  const conditions: Condition[] = []
  const add = (facet: string, holds: Condition['holds']) => conditions.push({ facet, holds })
  if (sku !== undefined) add('sku', (entry) => entry.sku === sku)
  if (group !== undefined) add('group', (entry) => entry.group === group)
  if (category !== undefined) {
    const slugs = new Set(withAllBelow(categories, slugOf(category)))
    add('category', (entry) => slugs.has(entry.category))
  }
  if (tag !== undefined) add('tag', ({ tags }) => tags.includes(tag))
  if (availability !== undefined) add('availability', (entry) => entry.availability === availability)
  if (currency !== undefined)
    add(
      'price',
      ({ price }) =>
        price.currency === currency &&
        price.amount >= (minPrice ?? 0) &&
        price.amount <= (maxPrice ?? Number.MAX_SAFE_INTEGER),
    )
  const wanted = Map.groupBy(attribute, (each) => each.slice(0, each.indexOf(':')))
  for (const [name, given] of wanted) {
    const values = new Set(given.map((each) => each.slice(name.length + 1)))
    add(
      `attribute:${name}`,
      ({ attributes }) => values.has(String(attributes.get(name))) && attributes.has(name),
    )
  }
  return conditions
}
