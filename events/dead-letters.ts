import { and, asc, eq, isNotNull, isNull, sql, type SQL } from 'drizzle-orm'
import type { Db } from '../functions/shared/store/postgres.ts'
import { failures } from './tables.ts'

/** Events that a reaction could not take after every attempt, oldest first. */
export const listDeadLetters = (db: Db) =>
  db.select().from(failures).where(parked()).orderBy(asc(failures.at))

/** Which dead letters: one event's, a reaction's, or all. */
export interface Which {
  eventId?: string
  reaction?: string
}

/** Has dead letters delivered again, with every attempt they had at first; answers how many. */
export async function replayDeadLetters(db: Db, which: Which): Promise<number> {
  const { count } = await db
    .update(failures)
    .set({ parkedAt: null, nextAt: sql`now()`, attempts: 0 })
    .where(parked(which))
  return count
}

/** Gives dead letters up; answers how many. They stay in the table for a week, marked. */
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
