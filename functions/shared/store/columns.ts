import { timestamp } from 'drizzle-orm/pg-core'

/** A column of type `timestamp with time zone`, read as a Date. */
export const time = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
