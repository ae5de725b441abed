import * as z from 'zod'
import { sql } from 'drizzle-orm'
import { boolean, check, date, integer, jsonb, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { Amount, Country, Currency } from '../shared/schemas/schemas.ts'
import { TaxClass, taxClasses } from '../shared/schemas/tax-class.ts'
import { time } from '../shared/store/columns.ts'
import { schema } from './order.ts'

/** Tax rates and shipping methods: tables, schemas and rules. Everything here is pure. */

/** The rates of each country and tax class, each valid until the next one begins. */
export const taxRates = schema.table(
  'tax_rates',
  {
    country: text().notNull(),
    taxClass: text('tax_class').$type<TaxClass>().notNull(),
    validFrom: date('valid_from', { mode: 'string' }).notNull(),
    rate: integer().notNull(),
    addedAt: time('added_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.country, t.taxClass, t.validFrom] }),
    check('rate_from_0_to_100_percent', sql`${t.rate} between 0 and 10000`),
  ],
)

/** What shipping costs up to and including a weight in grams, or a total; without `upTo`, above all others. */
export interface ShippingStep {
  upTo: number | null
  amount: number
}

export const shippingBases = ['weight', 'total'] as const

export const shippingMethods = schema.table(
  'shipping_methods',
  {
    id: text().primaryKey(),
    name: text().notNull(),
    basis: text().$type<(typeof shippingBases)[number]>().notNull(),
    /** Null if it is free, in any currency. */
    currency: text(),
    /** In ascending order. */
    steps: jsonb().$type<ShippingStep[]>().notNull(),
    isDefault: boolean('is_default').notNull().default(false),
  },
  (t) => [
    uniqueIndex('one_default_shipping_method')
      .on(t.isDefault)
      .where(sql`${t.isDefault}`),
  ],
)

export type ShippingMethodRow = typeof shippingMethods.$inferSelect

/** In hundredths of a percent, so that 5.5 % is a whole number, too. */
export const Rate = z
  .int()
  .min(0)
  .max(10_000)
  .meta({ description: 'In hundredths of a percent: 1900 is 19 %.', example: 1900 })

const Day = z.iso.date().meta({ description: 'The first day, in UTC.', example: '2027-01-01' })

/** The classes that have rates. */
export const ratedClasses = taxClasses.filter((name) => name !== 'zero')

export const TaxRate = z
  .object({ country: Country, taxClass: TaxClass, rate: Rate, validFrom: Day })
  .meta({ id: 'TaxRate' })
export type TaxRate = z.infer<typeof TaxRate>

export const NewTaxRate = z
  .strictObject({ country: Country, taxClass: z.enum(ratedClasses), rate: Rate, validFrom: Day })
  .meta({ id: 'NewTaxRate' })

export const ShippingMethodId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'the id of a shipping method, such as parcel')
  .meta({ example: 'parcel' })

export const ShippingMethod = z
  .object({
    id: ShippingMethodId,
    name: z.string(),
    basis: z.enum(shippingBases).meta({ description: 'What the price depends on.' }),
    currency: Currency.nullable().meta({ description: 'Null if it is free, in any currency.' }),
    steps: z
      .array(z.object({ upTo: z.int().nullable(), amount: Amount }))
      .meta({ description: 'What it costs up to a weight in grams, or up to a total in minor units.' }),
    isDefault: z.boolean().meta({ description: 'Whether an order is shipped so if it does not say how.' }),
  })
  .meta({ id: 'ShippingMethod' })

/**
 * Returns the rate of a tax class in a country on a day, in hundredths of a percent. A class without a rate of its own
 * has the standard rate. A country without rates is one to which the shop sells untaxed.
 * @param day as `2027-01-01`
 */
export function rateOf(rates: readonly TaxRate[], country: string, taxClass: TaxClass, day: string): number {
  if (taxClass === 'zero') return 0
  let newest: TaxRate | undefined
  for (const one of rates)
    if (one.country === country && one.taxClass === taxClass && one.validFrom <= day)
      if (newest === undefined || one.validFrom > newest.validFrom) newest = one
  if (newest === undefined && taxClass !== 'standard') return rateOf(rates, country, 'standard', day)
  return newest?.rate ?? 0
}

/**
 * Returns what a method costs.
 * @param grams the weight of the order
 * @param amount what its goods cost, less discounts, in minor units
 * @returns undefined if it does not ship such an order: it is too heavy, or in another currency
 */
export function shippingPrice(
  { basis, currency, steps }: Pick<ShippingMethodRow, 'basis' | 'currency' | 'steps'>,
  order: { grams: number; amount: number; currency: string },
): number | undefined {
  if (currency !== null && currency !== order.currency) return undefined
  const size = basis === 'weight' ? order.grams : order.amount
  return steps.find(({ upTo }) => upTo === null || size <= upTo)?.amount
}
