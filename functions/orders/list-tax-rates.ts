import * as z from 'zod'
import { and, asc, eq, sql } from 'drizzle-orm'
import { operation } from '../shared/http/operation.ts'
import { page, pageOf, PageQuery, readCursor } from '../shared/http/paging.ts'
import { Country } from '../shared/schemas/schemas.ts'
import { ratedClasses, TaxRate, taxRates } from './tariff.ts'

const Query = PageQuery.extend({
  country: Country.optional(),
  taxClass: z.enum(ratedClasses).optional(),
})

export const listTaxRates = operation(
  'list-tax-rates',
  { request: { query: Query }, responses: { 200: pageOf(TaxRate, 'TaxRates') }, headers: ['Link'] },
  async ({ query, json, hono }, { db }) => {
    const after = readCursor(hono, query.cursor, 'string', 'string', 'string')
    const { country, taxClass, rate, validFrom } = taxRates
    const rows = await db
      .select({ country, taxClass, rate, validFrom })
      .from(taxRates)
      .where(
        and(
          query.country === undefined ? undefined : eq(country, query.country),
          query.taxClass && eq(taxClass, query.taxClass),
          // as text, because a forged cursor may have no date
          after &&
            sql`(${country}, ${taxClass}, ${validFrom}::text) > (${after[0]}::text, ${after[1]}::text, ${after[2]}::text)`,
        ),
      )
      .orderBy(asc(country), asc(taxClass), asc(validFrom))
      .limit(query.limit + 1)
    return json(
      page(hono, rows, query.limit, (row) => [row.country, row.taxClass, row.validFrom]),
      200,
    )
  },
)
