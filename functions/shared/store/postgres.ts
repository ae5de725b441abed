import { connect, type Socket } from 'node:net'
import { drizzle, type PostgresJsDatabase, type PostgresJsTransaction } from 'drizzle-orm/postgres-js'
import { sql, type ExtractTablesWithRelations } from 'drizzle-orm'
import postgres from 'postgres'
import type { Cause, Emit } from '../../../events/emit.ts'

type NoSchema = Record<string, never>

/**
 * A domain's database: drizzle for queries, `client` for LISTEN and to close. Its transactions are those of
 * transaction.ts, since what they emit carries the trace and wakes the relay.
 */
export interface Db extends Omit<PostgresJsDatabase<NoSchema>, 'transaction'> {
  client: postgres.Sql
  /** On whose behalf it is used; what is opened by itself has none, and emits nothing. */
  cause?: Cause
  /** Tells the relay, after a commit, that the outbox has something. */
  wake(): void
}

export type Tx = PostgresJsTransaction<NoSchema, ExtractTablesWithRelations<NoSchema>> & { emit: Emit }

/** The channel on which the relay listens. */
export const outboxChannel = 'zeroshop_outbox'

/** How many connections a function's process has at most: few, since ordinary queries are pipelined on one. */
export const poolSize = 2

/** How long a statement may take, in ms. */
const statementMs = 5_000

/**
 * Connections that are given up where the database leaves a query without a word for longer than a statement may take:
 * a host that vanishes says nothing, and TCP itself goes on trying for a quarter of an hour. Under TLS the bytes pass
 * them by, and so does this.
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
    const giveUp = () =>
      socket.destroy(Object.assign(new Error('the database is silent'), { code: 'ETIMEDOUT' }))
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean
    socket.write = (...args: unknown[]) => {
      patience ??= setTimeout(giveUp, statementMs + 1_000).unref()
      return write(...args)
    }
    // one that fails at once does so before the client listens, which then counts on its time to connect
    socket
      .on('data', calm)
      .on('close', calm)
      .on('error', () => {})
    // the name that TLS verifies
    return Object.assign(socket, { host: host[at] })
  }
}

/**
 * Opens the database lazily: the first query connects.
 * @param max connections; LISTEN takes one more
 * @param durable where false, a commit is not waited for until it is on the disk: for what is done again if it is lost
 */
export function openPostgres(url: string, { max = poolSize, name = 'zeroshop', durable = true } = {}): Db {
  const client = postgres(url, {
    max,
    idle_timeout: 60,
    connect_timeout: 3,
    // who waits is refused one an attempt: so that many hear soon that it is away, and are served soon once it is back
    backoff: () => 0.01 + Math.random() / 100,
    // documented, and missing from its types
    ...({ socket: impatientSockets() } as object),
    fetch_types: false,
    onnotice: () => {},
    connection: {
      application_name: name,
      ...(durable ? {} : { synchronous_commit: 'off' }),
      statement_timeout: statementMs,
      lock_timeout: 3_000,
      // of whoever stands still in the midst of one: the server counts it as idle only between two statements, and no
      // statement's timeout ends one that is prepared and waits to be run
      transaction_timeout: 20_000,
    },
  })
  const db = Object.assign(drizzle({ client }), { client, wake })
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
