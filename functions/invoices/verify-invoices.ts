import * as z from 'zod'
import { and, asc, eq, gt, lt, desc } from 'drizzle-orm'
import { operation } from '../shared/http/operation.ts'
import type { Db } from '../shared/store/postgres.ts'
import { faultsOf } from './chain.ts'
import { invoices, seriesOf, type InvoiceRow, type Series } from './invoice.ts'

const Query = z.strictObject({
  year: z.coerce.number().int().min(2000).max(9999).optional().meta({
    type: 'integer',
    minimum: 2000,
    maximum: 9999,
    description: 'This year, in UTC, if it is not set.',
  }),
})

const Verified = z
  .object({
    year: z.int(),
    checked: z.int().meta({ description: 'How many invoices and credit notes were checked.' }),
    isIntact: z.boolean(),
    faults: z.array(z.string()).meta({ description: 'What is wrong, at most 100 faults.' }),
  })
  .meta({ id: 'InvoicesVerified' })

/** How many are read at a time. */
const batch = 500

/** Checks the invoices and credit notes of a year: that none is missing, and none was changed. */
export const verifyInvoices = operation(
  'verify-invoices',
  { request: { query: Query }, responses: { 200: Verified } },
  async ({ query: { year = new Date().getUTCFullYear() }, json }, { db }) => {
    const faults: string[] = []
    let checked = 0
    for (const series of Object.values(seriesOf)) {
      let before = await lastBefore(db, series, year)
      for await (const row of ofYear(db, series, year)) {
        faults.push(...faultsOf(row, before))
        before = row
        checked++
      }
    }
    return json({ year, checked, isIntact: faults.length === 0, faults: faults.slice(0, 100) }, 200)
  },
)

/** Returns the last of a series before a year. */
async function lastBefore(db: Db, series: Series, year: number): Promise<InvoiceRow | undefined> {
  const [row] = await db
    .select()
    .from(invoices)
    .where(and(eq(invoices.series, series), lt(invoices.year, year)))
    .orderBy(desc(invoices.year), desc(invoices.seq))
    .limit(1)
  return row
}

/** Yields a series in a year, in sequence. */
async function* ofYear(db: Db, series: Series, year: number): AsyncGenerator<InvoiceRow> {
  for (let after = 0; ;) {
    const rows = await db
      .select()
      .from(invoices)
      .where(and(eq(invoices.series, series), eq(invoices.year, year), gt(invoices.seq, after)))
      .orderBy(asc(invoices.seq))
      .limit(batch)
    yield* rows
    after = rows.at(-1)?.seq ?? after
    if (rows.length < batch) return
  }
}
