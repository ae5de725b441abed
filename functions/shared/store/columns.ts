import { timestamp } from 'drizzle-orm/pg-core'

/** Declares a column of type `timestamp with time zone`, which is read as a Date. */
export const time = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
