import { drizzle, type PostgresJsDatabase, type PostgresJsTransaction } from 'drizzle-orm/postgres-js'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { sql, type ExtractTablesWithRelations } from 'drizzle-orm'
import type postgres from 'postgres'
import type { Actor } from '../auth/actor.ts'
import type { Cause, Emit } from '../../../events/emit.ts'
import { connectMs, openClient } from './postgres-client.ts'

type NoSchema = Record<string, never>

/**
 * A domain's database: drizzle for queries, `client` for anything that drizzle lacks. Use `transaction` of
 * transaction.ts for transactions: the events that it emits carry the trace, and it wakes the relay.
 */
export interface Db extends Omit<PostgresJsDatabase<NoSchema>, 'transaction'> {
  client: postgres.Sql
  /** For LISTEN: a direct connection if `client` uses a pooler, otherwise `client` itself. */
  listener: postgres.Sql
  /** The request or event that the database is used for. Without one, events cannot be emitted. */
  cause?: Cause
  /**
   * Opens a client with one connection of its own, on which the statements of a transaction can be pipelined. Its plans
   * look rows up by indexes: the plan of a prepared statement is kept while a table grows, so it must not be one for a
   * small table. It cannot be used with a pooler. The caller closes it.
   */
  single(): postgres.Sql
  /** Whether somebody watches for changes in the domain. */
  isWatched: boolean
  /**
   * Notifies those who watch for changes, after a commit, and the relay, if there are events in the outbox. Does nothing
   * without events if nobody watches the domain.
   */
  wake(hasEvents?: boolean): void
  /** Closes all connections. Queries in progress get up to 5 s. */
  close(): Promise<void>
}

export type Tx = PostgresJsTransaction<NoSchema, ExtractTablesWithRelations<NoSchema>> & {
  /** For statements over many rows. Unlike drizzle's, they are always prepared, which saves a round trip. */
  client: postgres.TransactionSql
  emit: Emit
  /** Who makes the change. */
  actor: Actor
}

/** The channel on which the relay and those who watch for changes listen. */
export const outboxChannel = 'zeroshop_outbox'
/** The payload of a notification if there are no events in the outbox, so that the relay need not look. */
export const withoutEvents = 'without events'

/**
 * The maximum number of a function's connections. Few suffice, because ordinary queries are pipelined on one.
 */
export const poolSize = 2

/** The longest that a statement may take, in ms. */
const statementMs = 5_000

/**
 * The timeouts that the migration sets for each role, in ms. They are not sent when connecting, because a
 * pooler refuses parameters that it does not track.
 */
export const roleTimeouts = {
  statement_timeout: statementMs,
  lock_timeout: 3_000,
  // Ends the transaction of a process that has stalled. The server's idle timeout counts only between two
  // statements, and the statement timeout does not end a statement that is prepared but not yet executed.
  transaction_timeout: 20_000,
} as const

interface Options {
  /** The maximum number of connections. LISTEN uses one more. */
  max?: number
  name?: string
  /** The setting that contains the URL, for error messages. */
  setting?: string
  /**
   * If false, a commit does not wait until it is on the disk. This is for work that is repeated if it is
   * lost. It cannot be used with a pooler.
   */
  durable?: boolean
  /** Whether somebody watches for changes in the domain. */
  isWatched?: boolean
  /** The URL of PostgreSQL itself, for LISTEN, if `url` is that of a pooler. */
  listenUrl?: string | undefined
}

/**
 * Opens the database lazily: the first query connects.
 * @throws UserError if what a URL says about TLS cannot be used
 */
export function openPostgres(url: string, options: Options = {}): Db {
  const { max = poolSize, name = 'zeroshop', setting = 'DATABASE_URL', durable = true, listenUrl } = options
  const { isWatched = false } = options
  const settings = {
    max,
    silentMs: statementMs + 1_000,
    idle_timeout: 60,
    connect_timeout: connectMs / 1000,
    // Each failed attempt to connect rejects one waiting query. Short pauses between the attempts let callers
    // notice an outage early, and its end, too.
    backoff: () => 0.01 + Math.random() / 100,
    fetch_types: false,
    onnotice: () => {},
    connection: { application_name: name, ...(durable ? {} : { synchronous_commit: 'off' }) },
  }
  const client = openClient(url, { ...settings, setting })
  const listener =
    listenUrl === undefined ? client : openClient(listenUrl, { ...settings, setting: 'LISTEN_DATABASE_URL' })
  const lookups = { enable_seqscan: 'off', enable_hashjoin: 'off', enable_mergejoin: 'off' }
  const single = () =>
    openClient(url, {
      ...settings,
      setting,
      max: 1,
      max_lifetime: null,
      connection: { ...settings.connection, ...lookups },
    })
  const close = async () => {
    await Promise.all([client, listener].map((each) => each.end({ timeout: 5 })))
  }
  const db = Object.assign(drizzle({ client }), { client, listener, single, isWatched, wake, close })
  let waking = false
  let again = false
  let events = false
  return db

  /**
   * Sends NOTIFY after the commit. In the transaction itself, it would make every commit wait for a lock that
   * all notifying commits of the server share. Only one is sent at a time. If a commit happens while one is
   * being sent, that one may be too early for it, so another follows.
   */
  function wake(hasEvents = true) {
    if (!hasEvents && !isWatched) return
    again = waking
    events ||= hasEvents
    if (!waking) notify()
  }

  function notify() {
    waking = true
    const payload = events ? '' : withoutEvents
    events = false
    again = false
    client`select pg_notify(${outboxChannel}, ${payload})`
      .catch(() => {}) // the relay polls, too
      .finally(() => {
        waking = false
        if (again) notify()
      })
  }
}

/**
 * Returns a function that prepares a query once for each database, and afterwards only binds it. Prepared
 * queries are pipelined.
 */
export function prepared<Q>(prepare: (db: Db) => Q): (db: Db) => Q {
  const queries = new WeakMap<postgres.Sql, Q>()
  return (db) => {
    const known = queries.get(db.client)
    if (known !== undefined) return known
    const query = prepare(db)
    queries.set(db.client, query)
    return query
  }
}

/**
 * Whether a column is among the values. Unlike that of `inArray`, its text is the same for any number of values, so that
 * the query is prepared only once.
 */
export const isAmong = (column: PgColumn, values: readonly string[]) =>
  sql`${column} = any(array(select jsonb_array_elements_text(${JSON.stringify(values)}::jsonb)::${sql.raw(column.getSQLType())}))`

/** The time `ms` ago by the database's clock. */
export const before = (ms: number) => sql`(now() - ${ms / 1000} * interval '1 second')`
