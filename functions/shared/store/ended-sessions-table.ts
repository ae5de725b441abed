import { index, uuid, type PgSchema } from 'drizzle-orm/pg-core'
import { time } from './columns.ts'

/** Declares the projection of ended sessions in a domain's schema, by which operations that are `fresh` refuse them. */
export const endedSessionsTable = (schema: PgSchema) =>
  schema.table(
    'ended_sessions',
    {
      id: uuid().primaryKey(),
      at: time('at').notNull().defaultNow(),
    },
    (t) => [index().on(t.at)],
  )

export type EndedSessionsTable = ReturnType<typeof endedSessionsTable>
