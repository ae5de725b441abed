import { and, asc, eq, isNotNull, isNull, sql, type SQL } from 'drizzle-orm'
import type { Db } from '../functions/shared/store/postgres.ts'
import { failures } from './tables.ts'

/** Returns the dead letters, oldest first: events that a reaction failed to handle in every attempt. */
export const listDeadLetters = (db: Db) =>
  db.select().from(failures).where(parked()).orderBy(asc(failures.at))

/** Selects dead letters by event, by reaction, or both. Empty selects all. */
export interface Which {
  eventId?: string
  reaction?: string
}

/** Schedules dead letters for delivery, with all attempts available again. Returns how many. */
export async function replayDeadLetters(db: Db, which: Which): Promise<number> {
  const { count } = await db
    .update(failures)
    .set({ parkedAt: null, nextAt: sql`now()`, attempts: 0 })
    .where(parked(which))
  return count
}

/** Marks dead letters as dropped. They stay in the table for a week. Returns how many. */
export async function dropDeadLetters(db: Db, which: Which): Promise<number> {
  const { count } = await db
    .update(failures)
    .set({ droppedAt: sql`now()` })
    .where(parked(which))
  return count
}

const parked = ({ eventId, reaction }: Which = {}): SQL | undefined =>
  and(
    isNotNull(failures.parkedAt),
    isNull(failures.droppedAt),
    eventId === undefined ? undefined : eq(failures.eventId, eventId),
    reaction === undefined ? undefined : eq(failures.reaction, reaction),
  )
