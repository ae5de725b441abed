import { and, eq } from 'drizzle-orm'
import { index, integer, jsonb, primaryKey, text, type PgSchema } from 'drizzle-orm/pg-core'
import { time } from './columns.ts'
import type { IdempotencyKey } from './idempotency.ts'

/** The constraint that a second request with the same key violates. */
export const keyConstraint = 'idempotency_keys_pkey'

/** Declares the table of idempotency keys and their responses in a domain's schema. */
export const idempotencyTable = (schema: PgSchema) =>
  schema.table(
    'idempotency_keys',
    {
      caller: text().notNull(),
      key: text().notNull(),
      hash: text().notNull(),
      status: integer(),
      headers: jsonb().$type<Record<string, string>>(),
      body: text(),
      at: time('at').notNull().defaultNow(),
    },
    (t) => [primaryKey({ name: keyConstraint, columns: [t.caller, t.key] }), index().on(t.at)],
  )

export type IdempotencyTable = ReturnType<typeof idempotencyTable>

export const isKey = (table: IdempotencyTable, key: IdempotencyKey) =>
  and(eq(table.caller, key.caller), eq(table.key, key.key))
