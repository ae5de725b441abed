import { uuid, type PgSchema } from 'drizzle-orm/pg-core'
import { time } from './columns.ts'

/** Declares, in a domain's schema, the customers without an account whose records were claimed, and whose they are now. */
export const claimedCustomersTable = (schema: PgSchema) =>
  schema.table('claimed_customers', {
    id: uuid().primaryKey(),
    userId: uuid('user_id').notNull(),
    at: time('at').notNull().defaultNow(),
  })
