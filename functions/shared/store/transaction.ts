import { and, lt } from 'drizzle-orm'
import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import { measureEvents } from '../../../events/measure.ts'
import { outboxRow, writeEvents, type Cause, type Emit, type OutboxRow } from '../../../events/emit.ts'
import { inFlight, keyLifetimeMs, replay, toAnswer, type Answer, type IdempotencyKey } from './idempotency.ts'
import { isKey, keyConstraint, type IdempotencyTable } from './idempotency-table.ts'
import { before, type Db, type Tx } from './postgres.ts'
import { errorCode, sqlState, violated } from './store-errors.ts'

/**
 * Runs `work` in one transaction, and returns its result. `tx.emit` writes an event in the same transaction.
 * The event carries the trace of the request or event that the database is used for. After the commit, the
 * relay and the watchers of changes are notified.
 */
export async function transaction<R>(db: Db, work: (tx: Tx) => Promise<R>): Promise<R> {
  const emitted: OutboxRow[] = []
  // Db hides this method, so that every transaction comes through here
  const result = await (db as unknown as PostgresJsDatabase).transaction((begun) => {
    const { client } = (begun as unknown as { session: { client: postgres.TransactionSql } }).session
    const emit = emitter(db.cause, (rows) => {
      emitted.push(...rows)
      return writeEvents(client, rows)
    })
    return work(Object.assign(begun, { client, emit, actor: db.cause?.actor ?? 'system' }))
  })
  if (db.cause !== undefined) {
    db.wake(emitted.length > 0)
    measureEvents(db.cause, emitted)
  }
  return result
}

/** Returns an `emit` that writes the events that are emitted in the same tick together. */
function emitter(cause: Cause | undefined, write: (rows: OutboxRow[]) => Promise<unknown>): Emit {
  let rows: OutboxRow[] = []
  let written: Promise<unknown> | undefined
  return async (type, subject, data, options) => {
    if (cause === undefined) throw new Error(`cannot emit ${type}: the database has no cause`)
    rows.push(outboxRow(cause, type, subject, data, options))
    written ??= Promise.resolve().then(() => {
      const emitted = rows
      rows = []
      written = undefined
      return write(emitted)
    })
    await written
  }
}

/**
 * Runs `work` once for each key. Its changes, its events and its response are committed together, so that the
 * response can be replayed even after a crash. Only successful responses are kept: a refused request may be
 * retried.
 * @returns the response of `work`, or the kept response of the first request with this key
 * @throws Problem 409 while the first request is running, 422 if the key was used for a different request
 */
export async function once<R extends Response>(
  db: Db,
  table: IdempotencyTable,
  key: IdempotencyKey,
  work: (tx: Tx) => Promise<R>,
): Promise<R> {
  return firstOr(db, table, key, async () => {
    try {
      return await transaction(db, async (tx) => {
        await claim(tx, table, key)
        const response = await work(tx)
        await tx
          .update(table)
          .set(await toAnswer(response))
          .where(isKey(table, key))
        return response
      })
    } catch (error) {
      if (error instanceof KeyTaken) return undefined
      throw error
    }
  })
}

/**
 * Does the same as `once` for a change that is a single statement, and whose response is known in advance.
 * The key, the change and its events are written in one round trip, and the statements of many requests are
 * pipelined on one connection.
 * @param write inserts the row of the key together with the change
 * @param emitted the events that it inserts
 */
export async function onceInOneStatement<R extends Response>(
  db: Db,
  table: IdempotencyTable,
  key: IdempotencyKey,
  response: R,
  write: (kept: IdempotencyKey & Answer) => Promise<unknown>,
  emitted: readonly OutboxRow[],
): Promise<R> {
  const kept = { ...key, ...(await toAnswer(response)) }
  return firstOr(db, table, key, async () => {
    try {
      await write(kept)
      db.wake()
      if (db.cause !== undefined) measureEvents(db.cause, emitted)
      return response
    } catch (error) {
      if (errorCode(error) === sqlState.lockNotAvailable) throw inFlight()
      if (violated(error) === keyConstraint) return undefined
      throw error
    }
  })
}

/**
 * Returns the response of `attempt`. If the key is taken (undefined), returns the first response instead. If
 * the key has become free in the meantime, it tries again.
 */
async function firstOr<R extends Response>(
  db: Db,
  table: IdempotencyTable,
  key: IdempotencyKey,
  attempt: () => Promise<R | undefined>,
): Promise<R> {
  for (;;) {
    // the hash includes the operation, so a kept response has the operation's type
    const response = (await attempt()) ?? ((await firstAnswer(db, table, key)) as R | undefined)
    if (response !== undefined) return response
  }
}

class KeyTaken extends Error {}

/**
 * Inserts the key. If the first request is still running, waits for it up to the lock timeout.
 * @throws Problem 409 if the first request is still running after that
 * @throws KeyTaken if the first request has committed
 */
async function claim(tx: Tx, table: IdempotencyTable, { caller, key, hash }: IdempotencyKey) {
  const taken = await tx
    .insert(table)
    .values({ caller, key, hash })
    .onConflictDoNothing()
    .returning({ at: table.at })
    .catch((error: unknown) => {
      throw errorCode(error) === sqlState.lockNotAvailable ? inFlight() : error
    })
  if (taken.length === 0) throw new KeyTaken()
}

/**
 * Returns the kept response. Returns undefined if the key is not taken, or was taken more than a day ago and
 * is free again.
 * @throws Problem 422 if the key was used for a different request
 */
export async function firstAnswer(
  db: Db | Tx,
  table: IdempotencyTable,
  key: IdempotencyKey,
): Promise<Response | undefined> {
  await db.delete(table).where(and(isKey(table, key), lt(table.at, before(keyLifetimeMs))))
  const [first] = await db.select().from(table).where(isKey(table, key))
  if (first === undefined) return undefined
  // a committed row has a response
  return replay({ hash: first.hash, answer: first as Answer }, key)
}
