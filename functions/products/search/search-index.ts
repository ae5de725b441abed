import {
  availabilityOf,
  groupOf,
  type Availability,
  type ProductDocument,
  type ProductState,
} from '../product.ts'
import { averageOf } from '../rating.ts'
import { Amount } from '../../shared/schemas/schemas.ts'
import { wordsOf } from '../words.ts'
import { createWordsIndex, type Scores } from './words-index.ts'

/** What a search knows of a product. */
export interface Entry {
  id: string
  sku: string
  nameKey: string
  category: string
  price: ProductState['price']
  tags: readonly string[]
  group: string
  sellerId: string
  /** Its attributes, and its options as a variant. */
  attributes: ReadonlyMap<string, string | number | boolean>
  availability: Availability
  /** The average of its reviews, 0 if there are none, and their number. */
  stars: number
  reviews: number
  /** Its values of facets, as numbers. */
  facets: readonly number[]
}

/** A value by which products are counted, such as `blue` of `attribute:colour`. */
export interface FacetValue {
  facet: string
  value: string
}

/** Where ranges of prices begin, in minor units: 0, 10, 20, 50, 100 and so on, as shops show them. */
export const priceSteps = [
  0,
  ...[1_000, 10_000, 100_000, 1_000_000, 10_000_000].flatMap((step) => [step, 2 * step, 5 * step]),
  Amount.maxValue! + 1,
]

/** The fields of a document from which an entry is made. */
export const entryFields = {
  sku: 1,
  name: 1,
  nameKey: 1,
  words: 1,
  category: 1,
  price: 1,
  tags: 1,
  group: 1,
  options: 1,
  sellerId: 1,
  attributes: 1,
  version: 1,
  stock: 1,
  rating: 1,
  deletedAt: 1,
} as const satisfies Partial<Record<keyof ProductDocument, 1>>
export type EntryDocument = Pick<ProductDocument, '_id' | keyof typeof entryFields>

export interface Found {
  entry: Entry
  score: number
}

/** What a product scores above any other if the search is its SKU. */
const skuScore = 1_000_000

export type SearchIndex = ReturnType<typeof createSearchIndex>

/** Returns an index of products in memory. It takes some 2 KB a product. */
export function createSearchIndex() {
  const entries = new Map<string, Entry & { words: readonly string[] }>()
  const versions = new Map<string, string>()
  const bySku = new Map<string, string>()
  const words = createWordsIndex()
  const facets = createNumbers()

  function remove(id: string): void {
    const entry = entries.get(id)
    if (entry === undefined) return
    words.remove(id, entry.words)
    bySku.delete(entry.sku)
    entries.delete(id)
  }

  /** Adds a product, or replaces it. A deleted one is removed. */
  function put(document: EntryDocument): void {
    const { _id: id, sku, name, nameKey, category, price, tags = [], sellerId } = document
    remove(id)
    versions.set(id, stateOf(document))
    if (document.deletedAt !== null) return
    const attributes = new Map(Object.entries({ ...document.attributes, ...document.options }))
    const availability = availabilityOf(document)
    const rest = { nameKey, category, price, tags, sellerId, attributes, availability }
    const rated = { stars: averageOf(document), reviews: document.rating?.count ?? 0 }
    const entry = { id, sku, group: groupOf(document), ...rest, ...rated }
    entries.set(id, {
      ...entry,
      words: words.add(id, document.words, new Set(wordsOf(name))),
      facets: facetsOf(entry).map(facets.numberOf),
    })
    bySku.set(sku, id)
  }

  /**
   * Returns the products that match a search, in no order.
   * @param wanted its words; undefined finds all products
   * @param text the search as it was sent, which may be an SKU
   */
  function* find(wanted: readonly string[] | undefined, text = ''): Iterable<Found> {
    const exact = bySku.get(text.trim().toUpperCase())
    const scores: Scores | undefined = wanted && words.search(wanted)
    if (exact !== undefined) scores?.set(exact, skuScore)
    if (scores === undefined) for (const entry of entries.values()) yield { entry, score: 0 }
    else for (const [id, score] of scores) yield { entry: entries.get(id)!, score }
  }

  return {
    put,
    find,
    facets: facets.values,
    /** Returns whether it has a product as it is. */
    has: (document: Stated) => versions.get(document._id) === stateOf(document),
    size: () => entries.size,
  }
}

function facetsOf({ category, price, tags, availability, attributes }: Omit<Entry, 'facets'>): FacetValue[] {
  const step = priceSteps.findLastIndex((each) => each <= price.amount)
  return [
    { facet: 'category', value: category },
    { facet: 'price', value: `${price.currency} ${step}` },
    { facet: 'availability', value: availability },
    ...tags.map((value) => ({ facet: 'tag', value })),
    ...Array.from(attributes, ([name, value]) => ({ facet: `attribute:${name}`, value: String(value) })),
  ]
}

/** Returns numbers for values of facets, so that counting them is fast. */
function createNumbers() {
  const values: FacetValue[] = []
  const numbers = new Map<string, number>()
  return {
    values: values as readonly FacetValue[],
    numberOf: (given: FacetValue): number => {
      const key = `${given.facet}\0${given.value}`
      let number = numbers.get(key)
      if (number === undefined) {
        number = values.push(given) - 1
        numbers.set(key, number)
      }
      return number
    },
  }
}

/** The fields that tell whether a product has changed. */
export const statedFields = { version: 1, stock: 1, rating: 1 } as const
export type Stated = Pick<ProductDocument, '_id' | 'version' | 'stock' | 'rating'>

const stateOf = ({ version, stock, rating }: Stated) =>
  `${version} ${stock?.version ?? 0} ${rating?.version ?? 0}`
