import { drizzle, type PostgresJsDatabase, type PostgresJsTransaction } from 'drizzle-orm/postgres-js'
import type { ExtractTablesWithRelations } from 'drizzle-orm'
import postgres from 'postgres'

type NoSchema = Record<string, never>

/** A domain's database: drizzle for queries, `client` for LISTEN and to close. */
export interface Db extends PostgresJsDatabase<NoSchema> {
  client: postgres.Sql
  /** Tells the relay, after a commit, that the outbox has something. */
  wake(): void
}

export type Tx = PostgresJsTransaction<NoSchema, ExtractTablesWithRelations<NoSchema>>

/** The channel on which the relay listens. */
export const outboxChannel = 'zeroshop_outbox'

/**
 * Opens the database lazily: the first query connects.
 * @param max connections: few, since ordinary queries are pipelined on one
 */
export function openPostgres(url: string, { max = 2, name = 'zeroshop' } = {}): Db {
  const client = postgres(url, {
    max,
    idle_timeout: 60,
    connect_timeout: 5,
    fetch_types: false,
    onnotice: () => {},
    connection: {
      application_name: name,
      statement_timeout: 10_000,
      lock_timeout: 3_000,
      idle_in_transaction_session_timeout: 20_000,
    },
  })
  const db = Object.assign(drizzle({ client }), { client, wake })
  let waking = false
  return db

  /**
   * NOTIFY in the transaction itself would make every commit wait for one lock that all of the server's
   * notifying commits share, so it is sent after it, and at most once at a time.
   */
  function wake() {
    if (waking) return
    waking = true
    client`select pg_notify(${outboxChannel}, '')`
      .catch(() => {}) // the relay polls, too
      .finally(() => (waking = false))
  }
}

/** A query that is prepared once a database and then only bound: such queries are pipelined. */
export function prepared<Q>(prepare: (db: Db) => Q): (db: Db) => Q {
  const queries = new WeakMap<Db, Q>()
  return (db) => {
    const known = queries.get(db)
    if (known !== undefined) return known
    const query = prepare(db)
    queries.set(db, query)
    return query
  }
}

/** The code of a PostgreSQL error (its SQLSTATE) or of a failed connection, also where drizzle has wrapped it. */
export function errorCode(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause)
    if ('code' in e && typeof e.code === 'string') return e.code
  return undefined
}

/** The constraint that a PostgreSQL error names. */
export function violated(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause)
    if ('constraint_name' in e && typeof e.constraint_name === 'string') return e.constraint_name
  return undefined
}

export const sqlState = { uniqueViolation: '23505', lockNotAvailable: '55P03' } as const

/** Whether the error says that the store cannot be reached or is starting or stopping, so that trying later may help. */
export function isUnavailable(error: unknown): boolean {
  // MongoDB's driver has names where others have codes
  if (
    error instanceof Error &&
    /^Mongo(?:Network|ServerSelection|Topology|NotConnected|Pool)/.test(error.name)
  )
    return true
  const code = errorCode(error)
  return code !== undefined && /^(?:CONN|ECONN|CONNECT|ENOTFOUND|EPIPE|ETIMEDOUT|08|57P0|53|55P03)/.test(code)
}
