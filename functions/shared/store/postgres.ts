import { connect, type Socket } from 'node:net'
import { drizzle, type PostgresJsDatabase, type PostgresJsTransaction } from 'drizzle-orm/postgres-js'
import { sql, type ExtractTablesWithRelations } from 'drizzle-orm'
import postgres from 'postgres'
import type { Cause, Emit } from '../../../events/emit.ts'

type NoSchema = Record<string, never>

/**
 * A domain's database: drizzle for queries, `client` for what drizzle has not. Its transactions are those of
 * transaction.ts, since what they emit carries the trace and wakes the relay.
 */
export interface Db extends Omit<PostgresJsDatabase<NoSchema>, 'transaction'> {
  client: postgres.Sql
  /** For LISTEN: `client` itself unless a pooler stands before the database. */
  listener: postgres.Sql
  /** On whose behalf it is used; what is opened by itself has none, and emits nothing. */
  cause?: Cause
  /** Tells the relay, after a commit, that the outbox has something. */
  wake(): void
  /** Closes all connections, at the latest after 5 s. */
  close(): Promise<void>
}

export type Tx = PostgresJsTransaction<NoSchema, ExtractTablesWithRelations<NoSchema>> & { emit: Emit }

/** The channel on which the relay listens. */
export const outboxChannel = 'zeroshop_outbox'

/** How many connections a function's process has at most: few, since ordinary queries are pipelined on one. */
export const poolSize = 2

/** How long a statement may take, in ms. */
const statementMs = 5_000

/**
 * What the migration sets for each role, in ms. They are not sent when connecting, because a pooler refuses parameters
 * that it does not track.
 */
export const roleTimeouts = {
  statement_timeout: statementMs,
  lock_timeout: 3_000,
  // for a process that stands still inside a transaction: the server counts it as idle only between two statements, and
  // a statement that is prepared and waits to be run has no timeout of its own
  transaction_timeout: 20_000,
} as const

/**
 * Sockets that fail if the database does not respond for longer than a statement may take, or closes the connection.
 * A host that vanishes sends nothing, and TCP itself keeps trying for a quarter of an hour. A pooler whose database is
 * away accepts connections and closes them again, whereupon postgres.js may go on connecting without rejecting the
 * query that waits. Under TLS, which bypasses `write`, silence is not noticed.
 */
function impatientSockets() {
  let turn = 0
  return ({ host, port, path }: { host: string[]; port: number[]; path?: string | false }): Socket => {
    const at = turn++ % host.length
    const socket = path ? connect(path) : connect(port[at]!, host[at])
    let patience: NodeJS.Timeout | undefined
    const calm = () => {
      clearTimeout(patience)
      patience = undefined
    }
    const fail = (code: string, message: string) =>
      socket.destroy(Object.assign(new Error(message), { code }))
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean
    socket.write = (...args: unknown[]) => {
      patience ??= setTimeout(fail, statementMs + 1_000, 'ETIMEDOUT', 'the database is silent').unref()
      return write(...args)
    }
    socket
      .on('data', calm)
      .on('end', () => fail('ECONNRESET', 'the database has closed the connection'))
      .on('close', calm)
      // an error before the client has its own listener would end the process; the client's connect timeout covers it
      .on('error', () => {})
    // TLS verifies this name
    return Object.assign(socket, { host: host[at] })
  }
}

interface Options {
  /** Connections; LISTEN takes one more. */
  max?: number
  name?: string
  /** If false, a commit does not wait for the disk: for work that is repeated if it is lost. Not through a pooler. */
  durable?: boolean
  /** PostgreSQL's own address, for LISTEN, if `url` is a pooler's. */
  listenUrl?: string | undefined
}

/** Opens the database lazily: the first query connects. */
export function openPostgres(url: string, options: Options = {}): Db {
  const { max = poolSize, name = 'zeroshop', durable = true, listenUrl } = options
  const settings = {
    max,
    idle_timeout: 60,
    connect_timeout: 3,
    // Each failed attempt to connect rejects one waiting query: short pauses, so that callers notice an outage early,
    // and its end.
    backoff: () => 0.01 + Math.random() / 100,
    // documented, and missing from its types
    ...({ socket: impatientSockets() } as object),
    fetch_types: false,
    onnotice: () => {},
    connection: { application_name: name, ...(durable ? {} : { synchronous_commit: 'off' }) },
  }
  const client = postgres(url, settings)
  const listener = listenUrl === undefined ? client : postgres(listenUrl, settings)
  const close = async () => {
    await Promise.all([client, listener].map((each) => each.end({ timeout: 5 })))
  }
  const db = Object.assign(drizzle({ client }), { client, listener, wake, close })
  let waking = false
  let again = false
  return db

  /**
   * NOTIFY in the transaction itself would make every commit wait for one lock that all of the server's
   * notifying commits share, so it is sent after it, and one at a time: a commit while one is on its way may
   * have come too late for it, so another follows.
   */
  function wake() {
    again = waking
    if (waking) return
    waking = true
    client`select pg_notify(${outboxChannel}, '')`
      .catch(() => {}) // the relay polls, too
      .finally(() => {
        waking = false
        if (again) wake()
      })
  }
}

/** A query that is prepared once a database and then only bound: such queries are pipelined. */
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

/** A time in so many ms by the database's clock: the clocks of our processes need not agree. */
export const after = (ms: number) => sql`(now() + ${ms / 1000} * interval '1 second')`

/** A time so many ms ago by the database's clock. */
export const before = (ms: number) => sql`(now() - ${ms / 1000} * interval '1 second')`
