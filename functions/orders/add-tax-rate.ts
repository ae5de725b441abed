import { gt, sql } from 'drizzle-orm'
import { once } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { idempotencyKeys } from './order.ts'
import { problems } from './problems.ts'
import { NewTaxRate, TaxRate, taxRates } from './tariff.ts'

/** Adds a rate. One that is not in force yet may be corrected; any other is what orders were taxed with. */
export const addTaxRate = operation(
  'add-tax-rate',
  {
    request: { body: NewTaxRate },
    responses: { 201: TaxRate },
    problems: [problems['tax-rate-in-force']],
    headers: ['Location'],
  },
  async ({ body, key, json }, { db }) =>
    once(db, idempotencyKeys, key, async (tx) => {
      const { country, taxClass, validFrom } = taxRates
      const added = await tx
        .insert(taxRates)
        .values(body)
        .onConflictDoUpdate({
          target: [country, taxClass, validFrom],
          set: { rate: body.rate, addedAt: sql`now()` },
          setWhere: gt(validFrom, sql`(now() at time zone 'UTC')::date`),
        })
        .returning({ country })
      if (added.length === 0)
        throw new Problem(problems['tax-rate-in-force'], {
          detail:
            `${body.country} has a ${body.taxClass} rate from ${body.validFrom} on, which orders have been taxed with. ` +
            'Add the new one from a later day on.',
        })
      return json(body, 201, { location: `/api/v1/tax-rates?country=${body.country}` })
    }),
)
