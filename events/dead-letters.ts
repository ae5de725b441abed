import type postgres from 'postgres'

/**
 * A database, connected with the role `events`. The queries do without drizzle, so that the local runner does not have to
 * load it.
 */
interface Database {
  client: postgres.Sql
}

/** An event that a reaction failed to handle in every attempt. */
export interface DeadLetter {
  reaction: string
  eventId: string
  /** The CloudEvent, in its JSON format. */
  event: unknown
  attempts: number
  error: string
  at: Date
}

/** Returns the dead letters, oldest first: all, or the first `limit`. */
export async function listDeadLetters({ client: sql }: Database, limit?: number): Promise<DeadLetter[]> {
  const letters = await sql<(Omit<DeadLetter, 'at'> & { at: Date | string })[]>`
    select reaction, event_id as "eventId", event, attempts, error, at from events.failures
    where ${parked(sql)} order by at ${limit === undefined ? sql`` : sql`limit ${limit}`}`
  // drizzle has its client return times as strings
  return letters.map((letter) => ({ ...letter, at: new Date(letter.at) }))
}

/** Selects dead letters by event, by reaction, or both. Empty selects all. */
export interface Which {
  eventId?: string
  reaction?: string
}

/** Schedules dead letters for delivery, with all attempts available again. Returns how many. */
export async function replayDeadLetters({ client: sql }: Database, which: Which): Promise<number> {
  const { count } = await sql`
    update events.failures set parked_at = null, next_at = now(), attempts = 0 where ${parked(sql, which)}`
  return count
}

/** Marks dead letters as dropped. They stay in the table for a week. Returns how many. */
export async function dropDeadLetters({ client: sql }: Database, which: Which): Promise<number> {
  const { count } = await sql`update events.failures set dropped_at = now() where ${parked(sql, which)}`
  return count
}

const parked = (sql: postgres.Sql, { eventId, reaction }: Which = {}) => sql`
  parked_at is not null and dropped_at is null
  ${eventId === undefined ? sql`` : sql`and event_id = ${eventId}`}
  ${reaction === undefined ? sql`` : sql`and reaction = ${reaction}`}`
