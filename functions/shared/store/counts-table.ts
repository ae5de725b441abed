import { bigint, index, integer, text, type PgSchema } from 'drizzle-orm/pg-core'
import { requestCounts } from './request-counts.ts'

/** Declares a table of counts in a domain's schema, in the format of rate-limiter-flexible. */
export const countsTable = <const N extends string>(schema: PgSchema, name: N) =>
  schema.table(
    name,
    {
      key: text().primaryKey(),
      points: integer().notNull().default(0),
      /** In ms since 1970. */
      expire: bigint({ mode: 'number' }),
    },
    (t) => [index().on(t.expire)],
  )

/** Declares the table in which all processes of a domain count the requests of callers (request-counts.ts). */
export const requestCountsTable = (schema: PgSchema) => countsTable(schema, requestCounts)
