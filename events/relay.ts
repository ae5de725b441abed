import { and, inArray, isNotNull, isNull, lt, sql } from 'drizzle-orm'
import type { Collection } from 'mongodb'
import type { Logger } from 'pino'
import { keyLifetimeMs } from '../functions/shared/store/idempotency.ts'
import type { Degraded } from '../functions/shared/process/service.ts'
import { before, outboxChannel, withoutEvents, type Db } from '../functions/shared/store/postgres.ts'
import { reasonOf } from '../functions/shared/store/store-errors.ts'
import { transaction } from '../functions/shared/store/transaction.ts'
import { stores } from '../functions/stores.table.ts'
import { sourceOf, versionIn } from './event.ts'
import { brokerReason, isBrokerError, type Broker, type Held } from './jetstream.ts'
import { Loop, type Failing } from './loop.ts'
import { pendingEvents, removeEvents, type WithOutbox } from './mongodb-outbox.ts'
import { openPublisher } from './publish.ts'
import { secretLifetimeMs } from './secrets.ts'
import { failures, inbox, outbox, secrets } from './tables.ts'

/** The maximum number of events that are copied from documents together. */
const batch = 256
/** The maximum number of rows that one run of a cleanup changes, which bounds its duration. */
const sweep = 1_000
/** How long settled events are kept, in ms. Longer than the stream keeps its messages. */
export const keepMs = 7 * 24 * 60 * 60 * 1000
/** How long something may fail before it counts as degraded, in ms. A store that restarts takes less. */
const degradedAfterMs = 3_000

export interface Relay {
  /** Returns the stores that have failed for some seconds. */
  degraded: () => Degraded[]
  /** Finishes the present work. */
  stop: () => Promise<void>
}

export interface RelayOptions {
  /** Connected with the role `events`. */
  db: Db
  broker: Broker
  /** The collections whose documents have an outbox. */
  sources?: readonly Source[]
  /** How long to wait before republishing an event that a reaction has not handled, in ms. */
  redeliverAfterMs?: number
  /** How often to look for events if no NOTIFY arrives, in ms. */
  pollMs?: number
  log: Logger
}

/** A collection of a MongoDB domain whose documents have an outbox. */
export interface Source {
  domain: string
  collection: Collection<WithOutbox>
}

/**
 * Starts to publish events from the outboxes to JetStream. An event that a reaction has not handled in time
 * is published again, so that each event takes effect even if the broker loses its data. Several relays may
 * run at the same time, because each skips rows that another has locked.
 */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const { db, broker, sources = [], redeliverAfterMs = 30_000, pollMs = 1_000, log } = options
  const sweepMs = Math.min(redeliverAfterMs / 2, 5_000)
  const publisher = openPublisher({ db, broker, log })
  const publishing = new Loop('publish', pollMs, (failing) => publisher.publish('new', failing), log)
  const loops = [
    publishing,
    new Loop('catch up', pollMs, (failing) => publisher.publish('late', failing), log),
    new Loop('settle', sweepMs, () => settle(db), log),
    new Loop('redeliver', sweepMs, () => redeliver(db, broker, redeliverAfterMs), log),
    new Loop('purge', 60_000, () => purge(db), log),
    ...sources.map((source) => collecting(db, source, log)),
  ]
  const listening = await db.listener
    .listen(outboxChannel, (payload) => payload !== withoutEvents && publishing.wake())
    .catch((error: unknown) => {
      log.warn({ err: error }, 'cannot listen for notifications; polling only')
      return undefined
    })
  return {
    degraded: () => degradedStores(loops.flatMap(({ failing }) => failing ?? [])),
    async stop() {
      await Promise.all([...loops.map((loop) => loop.stop()), listening?.unlisten().catch(() => {})])
      await publisher.close()
    },
  }
}

/** Returns each store that has failed for long enough, since its first failure, with its last error. */
function degradedStores(failures: Failing[]): Degraded[] {
  const found = new Map<Degraded['store'], Failing>()
  for (const { since, error } of failures) {
    const store = storeOf(error)
    const known = found.get(store)
    if (known === undefined || since < known.since) found.set(store, { since, error })
  }
  return [...found]
    .filter(([, { since }]) => Date.now() - since.getTime() >= degradedAfterMs)
    .map(([store, { since, error }]) => ({
      store,
      since: since.toISOString(),
      reason: isBrokerError(error) ? brokerReason(error) : reasonOf(error).reason,
    }))
}

/** The store that an error of the relay comes from. MongoDB's driver begins the names of its errors like this. */
const storeOf = (error: unknown): Degraded['store'] => {
  if (isBrokerError(error)) return 'nats'
  return error instanceof Error && /^(?:Mongo|PoolCleared)/.test(error.name) ? 'mongodb' : 'postgres'
}

const open = and(isNull(outbox.settledAt), isNotNull(outbox.publishedAt))

/** Matches events that some reaction has not handled, and whose failure is not stored either. */
const untaken = (more = sql``) => sql`exists (
  select from unnest(${outbox.awaits}) as awaited (reaction)
  where not exists (select from ${inbox} where ${inbox.eventId} = ${outbox.id} and ${inbox.reaction} = awaited.reaction)
    and not exists (select from ${failures} where ${failures.eventId} = ${outbox.id} and ${failures.reaction} = awaited.reaction)
    ${more})`

/** Returns whether to run a cleanup again at once, as the number of runs: only if there may be more to do. */
const again = (count: number) => (count < sweep ? 0 : 1)

/** Marks events as settled that all their reactions have handled. */
async function settle(db: Db): Promise<number> {
  const some = db
    .select({ id: outbox.id })
    .from(outbox)
    .where(and(open, sql`not ${untaken()}`))
    .limit(sweep)
    .for('update', { skipLocked: true })
  const { count } = await db
    .update(outbox)
    .set({ settledAt: sql`now()` })
    .where(inArray(outbox.id, some))
  return again(count)
}

/** Marks events to be published again that a reaction has not handled in time. */
async function redeliver(db: Db, broker: Broker, afterMs: number): Promise<number> {
  // doubles the interval each time, up to 20 times the first, so that a failed reaction is not flooded
  const due = sql`${outbox.publishedAt} < now() - ${afterMs / 1000} * least(power(2, ${outbox.publishes} - 1), 20) * interval '1 second'`
  const [any] = await db
    .select({ id: outbox.id })
    .from(outbox)
    .where(and(open, due, untaken()))
    .limit(1)
  // asking JetStream for all its consumers is dear
  if (any === undefined) return 0
  const held = await broker.held()
  const some = db
    .select({ id: outbox.id })
    .from(outbox)
    .where(and(open, due, untaken(held && sql`and not ${waitsIn(held)}`)))
    .limit(sweep)
    .for('update', { skipLocked: true })
  const { count } = await db.update(outbox).set({ publishedAt: null }).where(inArray(outbox.id, some))
  return again(count)
}

/**
 * Matches events whose message the stream still holds for the reaction. A copy would only lengthen the queue.
 */
const waitsIn = ({ since, first, last, acknowledged }: Held) =>
  sql`(${outbox.publishedAt} >= ${since.toISOString()} and coalesce(${outbox.streamSeq}, 0) between ${first} and ${last}
    and coalesce(${outbox.streamSeq}, 0) > coalesce((${JSON.stringify(acknowledged)}::jsonb ->> awaited.reaction)::bigint, 0))`

/** The domain that each type of event belongs to. */
const owners = new Map(stores.flatMap(({ domain, events }) => events.map((type) => [type, domain])))

/** Starts to copy the events of a MongoDB domain into the outbox. A change waits for that (`collected`). */
export const collecting = (db: Db, source: Source, log: Logger, pauseMs = 200) =>
  new Loop(source.domain, pauseMs, () => collect(db, source, log), log)

/**
 * Copies events from documents into the outbox, then removes them from their documents. An event that belongs to
 * another domain is only removed: PostgreSQL's policies, which would refuse it, do not apply to the relay.
 */
async function collect(db: Db, { domain, collection }: Source, log: Logger): Promise<number> {
  const pending = await pendingEvents(collection, batch)
  if (pending.length === 0) return 0
  const isForeign = ({ type }: { type: string }) => (owners.get(type) ?? domain) !== domain
  for (const { id, type } of pending.filter(isForeign))
    log.error({ event: id, type, domain }, 'dropped an event that belongs to another domain')
  const rows = pending
    .filter((event) => !isForeign(event))
    .map(({ id, type, subject, time, at, traceparent, actor, data }) => ({
      id,
      type,
      // entries from earlier versions have no subject; they are product events, whose subject is the SKU
      subject: subject ?? (data as { sku: string }).sku,
      time,
      data,
      version: versionIn(data as object) ?? null,
      source: sourceOf(domain),
      ...(at === undefined ? {} : { due: at }),
      ...(traceparent === undefined ? {} : { traceparent }),
      ...(actor === undefined ? {} : { actor }),
    }))
  await transaction(db, async (tx) => {
    // the events must be on the disk before they are removed from the documents
    await tx.execute(sql`set local synchronous_commit = on`)
    if (rows.length > 0) await tx.insert(outbox).values(rows).onConflictDoNothing()
  })
  await removeEvents(
    collection,
    pending.map(({ id }) => id),
  )
  db.wake()
  return pending.length
}

/**
 * Removes expired idempotency keys, secrets that nobody has taken, and old settled events, inbox rows and
 * dropped dead letters.
 */
async function purge(db: Db): Promise<number> {
  let more = 0
  const expired = before(keyLifetimeMs)
  for (const { domain: schema } of stores.filter(({ store }) => store === 'postgres')) {
    const keys = sql`${sql.identifier(schema)}.idempotency_keys`
    const { count } = await db.execute(
      sql`delete from ${keys} where at < ${expired} and at <= (select max(at) from (select at from ${keys} order by at limit ${sweep}))`,
    )
    more += again(count)
  }
  await db.delete(secrets).where(lt(secrets.at, before(secretLifetimeMs)))
  const old = before(keepMs)
  for (const [table, at] of [
    [outbox, outbox.settledAt],
    [inbox, inbox.at],
    [failures, failures.droppedAt],
  ] as const) {
    const some = sql`select ctid from ${table} where ${lt(at, old)} limit ${sweep}`
    more += again((await db.delete(table).where(sql`ctid in (${some})`)).count)
  }
  return more
}
