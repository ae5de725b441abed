import * as z from 'zod'
import { Amount, Currency } from '../../shared/schemas/schemas.ts'
import { withAllAbove, type CategoryState } from '../category.ts'
import { availabilities } from '../product.ts'
import { priceSteps, type Entry, type FacetValue } from './search-index.ts'

/** How many products of a search have which category, price, attribute and so on. Everything here is pure. */

const count = z.int().meta({ description: 'How many products there are.' })
const counted = <T extends z.ZodType>(value: T) => z.array(z.object({ value, count }))

export const Facets = z
  .object({
    total: z.int().meta({ description: 'How many products match.' }),
    category: counted(z.string()).meta({
      description: 'By the slug of a category; those below it are counted, too.',
    }),
    price: z
      .array(z.object({ currency: Currency, minPrice: Amount, maxPrice: Amount, count }))
      .meta({ description: 'Each is a filter as it stands.' }),
    attributes: z
      .array(z.object({ name: z.string(), values: counted(z.string()) }))
      .meta({ description: 'Attributes and options, the most common first.' }),
    tag: counted(z.string()),
    availability: counted(z.enum(availabilities)),
  })
  .meta({
    id: 'Facets',
    description: 'Each disregards the filters of its own kind, and so shows what another choice would find.',
  })
export type Facets = z.infer<typeof Facets>

/** How many values a facet has at most. */
const maxValues = 50

/** A condition of a search. The facet of an attribute is `attribute:` and its name. */
export interface Condition {
  facet: string
  holds: (entry: Entry) => boolean
}

type Counted = { value: string; count: number }

const byCount = (a: Counted, b: Counted) => b.count - a.count || (a.value < b.value ? -1 : 1)

/**
 * Counts facets while products are looked at.
 * @param values what the numbers in entries stand for
 */
export function createFacets(values: readonly FacetValue[], categories: readonly CategoryState[]) {
  let total = 0
  const counts = new Int32Array(values.length)

  /**
   * Counts a product.
   * @param failed the facets of the conditions that it does not fulfil
   */
  function take({ facets }: Entry, failed: readonly string[]): void {
    if (failed.length > 1) return
    const [only] = failed
    if (only === undefined) total++
    for (const n of facets) if (only === undefined || values[n]!.facet === only) counts[n]!++
  }

  function result(): Facets {
    const above = withAllAbove(categories)
    const all = new Map<string, Map<string, number>>()
    for (const [n, { facet, value }] of values.entries()) {
      if (counts[n] === 0) continue
      const counted = all.get(facet) ?? new Map<string, number>()
      all.set(facet, counted)
      for (const each of facet === 'category' ? above(value) : [value])
        counted.set(each, (counted.get(each) ?? 0) + counts[n]!)
    }
    const valuesOf = (facet: string) =>
      Array.from(all.get(facet) ?? [], ([value, count]) => ({ value, count }))
        .toSorted(byCount)
        .slice(0, maxValues)
    const price = Array.from(all.get('price') ?? [], ([value, count]) => ({ ...rangeOf(value), count }))
    const attributes = [...all.keys()]
      .filter((facet) => facet.startsWith('attribute:'))
      .map((facet) => ({ name: facet.slice('attribute:'.length), values: valuesOf(facet) }))
      .map((attribute) => ({
        ...attribute,
        count: attribute.values.reduce((sum, { count }) => sum + count, 0),
      }))
      .toSorted((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
      .slice(0, maxValues)
      .map(({ name, values }) => ({ name, values }))
    return {
      total,
      category: valuesOf('category'),
      price: price.toSorted((a, b) =>
        a.currency < b.currency ? -1 : a.currency > b.currency ? 1 : a.minPrice - b.minPrice,
      ),
      attributes,
      tag: valuesOf('tag'),
      availability: valuesOf('availability') as Facets['availability'],
    }
  }

  return { take, result }
}

/** Returns the range of prices that a facet's value stands for. */
function rangeOf(value: string) {
  const [currency = '', step] = value.split(' ')
  return { currency, minPrice: priceSteps[Number(step)]!, maxPrice: priceSteps[Number(step) + 1]! - 1 }
}
