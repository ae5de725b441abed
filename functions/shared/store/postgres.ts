import { connect, type Socket } from 'node:net'
import { drizzle, type PostgresJsDatabase, type PostgresJsTransaction } from 'drizzle-orm/postgres-js'
import { sql, type ExtractTablesWithRelations } from 'drizzle-orm'
import postgres from 'postgres'
import type { Actor } from '../auth/actor.ts'
import type { Cause, Emit } from '../../../events/emit.ts'

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
  /** Notifies the relay, after a commit, that there are events in the outbox. */
  wake(): void
  /** Closes all connections. Queries in progress get up to 5 s. */
  close(): Promise<void>
}

export type Tx = PostgresJsTransaction<NoSchema, ExtractTablesWithRelations<NoSchema>> & {
  emit: Emit
  /** Who makes the change. */
  actor: Actor
}

/** The channel on which the relay listens. */
export const outboxChannel = 'zeroshop_outbox'

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

/**
 * Returns a function that opens sockets. A socket fails if the database closes the connection, or does not
 * respond within the time for a statement and one second. A host that disappears sends nothing, and TCP
 * itself keeps retransmitting for a quarter of an hour. A pooler whose database is down accepts connections
 * and closes them again; postgres.js may then reconnect forever without rejecting the waiting query. With
 * TLS, which bypasses `write`, a silent database is not noticed.
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
      // An error before the client has its own listener would end the process. The client reports its connect
      // timeout instead.
      .on('error', () => {})
    // TLS verifies this name
    return Object.assign(socket, { host: host[at] })
  }
}

interface Options {
  /** The maximum number of connections. LISTEN uses one more. */
  max?: number
  name?: string
  /**
   * If false, a commit does not wait until it is on the disk. This is for work that is repeated if it is
   * lost. It cannot be used with a pooler.
   */
  durable?: boolean
  /** The URL of PostgreSQL itself, for LISTEN, if `url` is that of a pooler. */
  listenUrl?: string | undefined
}

/** Opens the database lazily: the first query connects. */
export function openPostgres(url: string, options: Options = {}): Db {
  const { max = poolSize, name = 'zeroshop', durable = true, listenUrl } = options
  const settings = {
    max,
    idle_timeout: 60,
    connect_timeout: 3,
    // Each failed attempt to connect rejects one waiting query. Short pauses between the attempts let callers
    // notice an outage early, and its end, too.
    backoff: () => 0.01 + Math.random() / 100,
    // documented, but missing from the library's types
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
   * Sends NOTIFY after the commit. In the transaction itself, it would make every commit wait for a lock that
   * all notifying commits of the server share. Only one is sent at a time. If a commit happens while one is
   * being sent, that one may be too early for it, so another follows.
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

/** The time `ms` from now by the database's clock: the clocks of our processes may differ. */
export const after = (ms: number) => sql`(now() + ${ms / 1000} * interval '1 second')`

/** The time `ms` ago by the database's clock. */
export const before = (ms: number) => sql`(now() - ${ms / 1000} * interval '1 second')`
