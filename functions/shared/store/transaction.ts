import { and, lt } from 'drizzle-orm'
import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import { outboxRow, type Emit } from '../../../events/emit.ts'
import { outbox } from '../../../events/tables.ts'
import { inFlight, keyLifetimeMs, replay, toAnswer, type Answer, type IdempotencyKey } from './idempotency.ts'
import { isKey, keyConstraint, type IdempotencyTable } from './idempotency-table.ts'
import { before, type Db, type Tx } from './postgres.ts'
import { errorCode, sqlState, violated } from './store-errors.ts'

/**
 * Runs `work` in one transaction. `tx.emit` writes an event with it, which carries the trace of the request or event
 * that the database is used for. After the commit, the relay and those who watch hear that something changed.
 */
export async function transaction<R>(db: Db, work: (tx: Tx) => Promise<R>): Promise<R> {
  const emit: Emit = async (type, subject, data, options) => {
    if (db.cause === undefined) throw new Error(`${type}: nobody is emitting it`)
    await tx.insert(outbox).values(outboxRow(db.cause, type, subject, data, options))
  }
  let tx: Tx
  // the only transactions that there are
  const result = await (db as unknown as PostgresJsDatabase).transaction((begun) => {
    tx = Object.assign(begun, { emit })
    return work(tx)
  })
  if (db.cause !== undefined) db.wake()
  return result
}

/**
 * Runs `work` once a key: what it changes, the events it emits and its answer are committed together, so the
 * answer can be given again, also after a crash. Only answers of success are kept: what was refused may be
 * tried again.
 * @throws Problem 409 while the first request runs, 422 where the key was used for another request
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
 * `once` for a change that is a single statement and whose answer is known before: the key, the change and its
 * events are written in one round trip, and statements of many requests are pipelined on one connection.
 * @param write inserts the key's row with the change
 */
export async function onceInOneStatement<R extends Response>(
  db: Db,
  table: IdempotencyTable,
  key: IdempotencyKey,
  response: R,
  write: (kept: IdempotencyKey & Answer) => Promise<unknown>,
): Promise<R> {
  const kept = { ...key, ...(await toAnswer(response)) }
  return firstOr(db, table, key, async () => {
    try {
      await write(kept)
      db.wake()
      return response
    } catch (error) {
      if (errorCode(error) === sqlState.lockNotAvailable) throw inFlight()
      if (violated(error) === keyConstraint) return undefined
      throw error
    }
  })
}

/**
 * What `attempt` answers, or, where it finds the key taken (undefined), the first answer; again where the key has become
 * free meanwhile.
 */
async function firstOr<R extends Response>(
  db: Db,
  table: IdempotencyTable,
  key: IdempotencyKey,
  attempt: () => Promise<R | undefined>,
): Promise<R> {
  for (;;) {
    // a kept answer is one that the same operation gave
    const response = (await attempt()) ?? ((await firstAnswer(db, table, key)) as R | undefined)
    if (response !== undefined) return response
  }
}

class KeyTaken extends Error {}

/** Takes the key, waiting a moment for a first request that is about to commit. */
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

/** The kept answer; undefined where the key's day is over, and it is free again. */
export async function firstAnswer(
  db: Db | Tx,
  table: IdempotencyTable,
  key: IdempotencyKey,
): Promise<Response | undefined> {
  await db.delete(table).where(and(isKey(table, key), lt(table.at, before(keyLifetimeMs))))
  const [first] = await db.select().from(table).where(isKey(table, key))
  if (first === undefined) return undefined
  // a committed row has its answer
  return replay({ hash: first.hash, answer: first as Answer }, key)
}
