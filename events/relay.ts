import { and, asc, inArray, isNotNull, isNull, lt, lte, sql } from 'drizzle-orm'
import type { Collection } from 'mongodb'
import type { Logger } from 'pino'
import { keyLifetimeMs } from '../functions/shared/store/idempotency.ts'
import { before, outboxChannel, type Db } from '../functions/shared/store/postgres.ts'
import { transaction } from '../functions/shared/store/transaction.ts'
import { stores } from '../functions/stores.table.ts'
import { sourceOf, type ShopEvent } from './event.ts'
import type { Broker, Held } from './jetstream.ts'
import { listeners } from './listeners.table.ts'
import { Loop } from './loop.ts'
import { pendingEvents, removeEvents, type WithOutbox } from './mongodb-outbox.ts'
import { failures, inbox, outbox } from './tables.ts'

/** How many events are published at once. */
const batch = 256
/** How many rows one turn of housekeeping touches, so that it ends in time however much there is. */
const sweep = 1_000
/** How long settled events are kept, in ms: longer than the stream keeps its messages. */
const keepMs = 7 * 24 * 60 * 60 * 1000

export interface RelayOptions {
  /** With the role `events`. */
  db: Db
  broker: Broker
  /** The collections whose documents hold an outbox. */
  sources?: readonly Source[]
  /** When an event that a reaction has not taken is published again, in ms. */
  redeliverAfterMs?: number
  /** The fallback where a NOTIFY is lost, in ms. */
  pollMs?: number
  log: Logger
}

/** A collection of a MongoDB domain whose documents hold an outbox. */
export interface Source {
  domain: string
  collection: Collection<WithOutbox>
}

/**
 * Carries events from the outboxes to JetStream, and sees to it that each has its effect: an event that a
 * reaction has not taken in time is published again, whatever became of the broker. Any number of relays may
 * run: each takes rows that no other holds.
 */
export async function startRelay(options: RelayOptions): Promise<{ stop(): Promise<void> }> {
  const { db, broker, sources = [], redeliverAfterMs = 30_000, pollMs = 1_000, log } = options
  const sweepMs = Math.min(redeliverAfterMs / 2, 5_000)
  const publishing = new Loop('publish', pollMs, () => publishBatch(db, broker), log)
  const loops = [
    publishing,
    new Loop('settle', sweepMs, () => settle(db), log),
    new Loop('redeliver', sweepMs, () => redeliver(db, broker, redeliverAfterMs), log),
    new Loop('purge', 60_000, () => purge(db), log),
    ...sources.map((source) => new Loop(source.domain, 200, () => collect(db, source), log)),
  ]
  const listening = await db.client
    .listen(outboxChannel, () => publishing.wake())
    .catch((error: unknown) => {
      log.warn({ err: error }, 'cannot listen: polling only')
      return undefined
    })
  return {
    async stop() {
      await Promise.all([...loops.map((loop) => loop.stop()), listening?.unlisten().catch(() => {})])
    },
  }
}

/** Publishes what is due and not published; returns how many, so that the loop goes on at once while there are more. */
async function publishBatch(db: Db, broker: Broker): Promise<number> {
  return transaction(db, async (tx) => {
    const rows = await tx
      .select()
      .from(outbox)
      .where(and(isNull(outbox.publishedAt), lte(outbox.due, sql`now()`)))
      .orderBy(asc(outbox.due), asc(outbox.id))
      .limit(batch)
      .for('update', { skipLocked: true })
    if (rows.length === 0) return 0
    const results = await Promise.allSettled(
      rows.map((row) => broker.publish(toEvent(row), `${row.id}.${row.publishes}`)),
    )
    const published = rows.flatMap(({ id, type }, i) => {
      const result = results[i]!
      return result.status === 'fulfilled' ? [{ id, seq: result.value, awaits: listeners[type] ?? [] }] : []
    })
    if (published.length > 0)
      await tx
        .update(outbox)
        .set({
          publishedAt: sql`now()`,
          publishes: sql`${outbox.publishes} + 1`,
          streamSeq: sql`published.seq`,
          awaits: sql`published.awaits`,
        })
        .from(
          sql`jsonb_to_recordset(${JSON.stringify(published)}::jsonb) as published (id uuid, seq bigint, awaits text[])`,
        )
        .where(sql`${outbox.id} = published.id`)
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined && published.length === 0) {
      // the stream may be gone together with JetStream's disk
      await broker.ensureStream()
      throw failed.reason
    }
    return rows.length
  })
}

const toEvent = ({ id, type, source, subject, time, traceparent, data }: typeof outbox.$inferSelect) =>
  // checked when it was emitted
  ({ id, type, source, subject, time, data, ...(traceparent === null ? {} : { traceparent }) }) as ShopEvent

const open = and(isNull(outbox.settledAt), isNotNull(outbox.publishedAt))

/** A reaction has neither taken the event nor has its failure been stored. */
const untaken = (more = sql``) => sql`exists (
  select from unnest(${outbox.awaits}) as awaited (reaction)
  where not exists (select from ${inbox} where ${inbox.eventId} = ${outbox.id} and ${inbox.reaction} = awaited.reaction)
    and not exists (select from ${failures} where ${failures.eventId} = ${outbox.id} and ${failures.reaction} = awaited.reaction)
    ${more})`

/** Marks a number of events that all their reactions have taken; answers how many. */
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
  return count
}

/** Has a number of events published again that a reaction has not taken in time; answers how many. */
async function redeliver(db: Db, broker: Broker, afterMs: number): Promise<number> {
  // each time twice as long, so that a reaction that is down is not flooded
  const due = sql`${outbox.publishedAt} < now() - ${afterMs / 1000} * least(power(2, ${outbox.publishes} - 1), 20) * interval '1 second'`
  const held = await broker.held()
  const some = db
    .select({ id: outbox.id })
    .from(outbox)
    .where(and(open, due, untaken(held && sql`and not ${waitsIn(held)}`)))
    .limit(sweep)
    .for('update', { skipLocked: true })
  const { count } = await db.update(outbox).set({ publishedAt: null }).where(inArray(outbox.id, some))
  return count
}

/** The stream holds the event's message for the reaction still: a copy of it would only make the queue longer. */
const waitsIn = ({ since, first, last, acknowledged }: Held) =>
  sql`(${outbox.publishedAt} >= ${since.toISOString()} and coalesce(${outbox.streamSeq}, 0) between ${first} and ${last}
    and coalesce(${outbox.streamSeq}, 0) > coalesce((${JSON.stringify(acknowledged)}::jsonb ->> awaited.reaction)::bigint, 0))`

/** Copies events from documents into the outbox, then removes them from their documents. */
async function collect(db: Db, { domain, collection }: Source): Promise<number> {
  const pending = await pendingEvents(collection, batch)
  if (pending.length === 0) return 0
  const rows = pending.map(({ id, type, subject, time, at, traceparent, data }) => ({
    id,
    type,
    // entries of earlier versions have none: theirs are products, by their SKU
    subject: subject ?? (data as { sku: string }).sku,
    time,
    data,
    source: sourceOf(domain),
    ...(at === undefined ? {} : { due: at }),
    ...(traceparent === undefined ? {} : { traceparent }),
  }))
  await transaction(db, async (tx) => {
    // on the disk before they are removed from where they came
    await tx.execute(sql`set local synchronous_commit = on`)
    await tx.insert(outbox).values(rows).onConflictDoNothing()
  })
  await removeEvents(
    collection,
    rows.map((row) => row.id),
  )
  db.wake()
  return pending.length
}

/** Removes a number of answers whose day is over and of events that are settled for good; answers how many. */
async function purge(db: Db): Promise<number> {
  let removed = 0
  const expired = before(keyLifetimeMs)
  for (const { domain: schema } of stores.filter(({ store }) => store === 'postgres')) {
    const keys = sql`${sql.identifier(schema)}.idempotency_keys`
    const { count } = await db.execute(
      sql`delete from ${keys} where at < ${expired} and at <= (select max(at) from (select at from ${keys} order by at limit ${sweep}))`,
    )
    removed += count
  }
  const old = before(keepMs)
  for (const [table, at] of [
    [outbox, outbox.settledAt],
    [inbox, inbox.at],
    [failures, failures.droppedAt],
  ] as const) {
    const some = sql`select ctid from ${table} where ${lt(at, old)} limit ${sweep}`
    removed += (await db.delete(table).where(sql`ctid in (${some})`)).count
  }
  return removed
}
