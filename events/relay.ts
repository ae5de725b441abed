import { and, asc, inArray, isNotNull, isNull, lt, sql } from 'drizzle-orm'
import type { Collection } from 'mongodb'
import type { Logger } from 'pino'
import { databaseRoles, reactionsOn } from '../functions/functions.ts'
import { pendingEvents, removeEvents } from '../functions/products/outbox.ts'
import type { ProductDocument } from '../functions/products/product.ts'
import { keyLifetimeMs } from '../functions/shared/idempotency.ts'
import { outboxChannel, type Db } from '../functions/shared/postgres.ts'
import { sourceOf, type ShopEvent } from './catalogue.ts'
import type { Broker } from './jetstream.ts'
import { Loop } from './loop.ts'
import { failures, inbox, outbox } from './tables.ts'

/** How many events are published at once. */
const batch = 256
/** How long settled events are kept, in ms: longer than the stream keeps its messages. */
const keepMs = 7 * 24 * 60 * 60 * 1000

export interface RelayOptions {
  /** With the role `events`. */
  db: Db
  broker: Broker
  /** The products, whose outbox is inside their documents; none where the shop runs without. */
  products?: Collection<ProductDocument>
  /** Drives on what is overdue in the domains; answers how many. */
  driveOverdue: () => Promise<number>
  /** When an event that a reaction has not taken is published again, in ms. */
  redeliverAfterMs?: number
  /** The fallback where a NOTIFY is lost, in ms. */
  pollMs?: number
  log: Logger
}

/**
 * Carries events from the outboxes to JetStream, and sees to it that each has its effect: an event that a
 * reaction has not taken in time is published again, whatever became of the broker. Any number of relays may
 * run: each takes rows that no other holds.
 */
export async function startRelay(options: RelayOptions): Promise<{ stop(): Promise<void> }> {
  const { db, broker, products, driveOverdue, redeliverAfterMs = 30_000, pollMs = 1_000, log } = options
  const publishing = new Loop('publish', pollMs, () => publishBatch(db, broker), log)
  const loops = [
    publishing,
    new Loop('redeliver', Math.min(redeliverAfterMs / 2, 5_000), () => settle(db, redeliverAfterMs), log),
    new Loop('overdue', Math.min(pollMs, 1_000), driveOverdue, log),
    new Loop('purge', 60_000, () => purge(db), log),
    ...(products === undefined ? [] : [new Loop('products', 200, () => collect(db, products), log)]),
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

/** Publishes what is not published; answers how many, so that the loop goes on at once while there are more. */
async function publishBatch(db: Db, broker: Broker): Promise<number> {
  return db.transaction(async (tx) => {
    const rows = await tx
      .select()
      .from(outbox)
      .where(isNull(outbox.publishedAt))
      .orderBy(asc(outbox.id))
      .limit(batch)
      .for('update', { skipLocked: true })
    if (rows.length === 0) return 0
    const results = await Promise.allSettled(
      rows.map((row) => broker.publish(toEvent(row), `${row.id}.${row.publishes}`)),
    )
    const published = rows.filter((_, i) => results[i]!.status === 'fulfilled').map((row) => row.id)
    if (published.length > 0)
      await tx
        .update(outbox)
        .set({ publishedAt: sql`now()`, publishes: sql`${outbox.publishes} + 1` })
        .where(inArray(outbox.id, published))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined && published.length === 0) {
      // the stream may be gone together with JetStream's disk
      await broker.ensureStream()
      throw failed.reason
    }
    return rows.length
  })
}

const toEvent = ({ id, type, subject, time, traceparent, data }: typeof outbox.$inferSelect) =>
  // `emit` checked it
  ({ id, type, subject, time, data, ...(traceparent === null ? {} : { traceparent }) }) as ShopEvent

/** Marks events that all their reactions have taken, and has the others published again. */
async function settle(db: Db, redeliverAfterMs: number): Promise<number> {
  const untaken = sql`exists (
    select from unnest(${outbox.awaits}) as awaited (reaction)
    where not exists (select from ${inbox} where ${inbox.eventId} = ${outbox.id} and ${inbox.reaction} = awaited.reaction)
      and not exists (select from ${failures} where ${failures.eventId} = ${outbox.id} and ${failures.reaction} = awaited.reaction))`
  const open = and(isNull(outbox.settledAt), isNotNull(outbox.publishedAt))
  await db
    .update(outbox)
    .set({ settledAt: sql`now()` })
    .where(and(open, sql`not ${untaken}`))
  // each time twice as long, so that a reaction that is down is not flooded
  const due = sql`${outbox.publishedAt} < now() - ${redeliverAfterMs / 1000} * least(power(2, ${outbox.publishes} - 1), 20) * interval '1 second'`
  await db
    .update(outbox)
    .set({ publishedAt: null })
    .where(and(open, due, untaken))
  return 0
}

/** Copies the products' events into the outbox, then removes them from their documents. */
async function collect(db: Db, products: Collection<ProductDocument>): Promise<number> {
  const pending = await pendingEvents(products, batch)
  if (pending.length === 0) return 0
  const rows = pending.map(({ event: { id, type, subject, time, traceparent, data } }) => ({
    id,
    type,
    subject,
    time,
    data,
    source: sourceOf(type),
    awaits: reactionsOn(type),
    ...(traceparent === undefined ? {} : { traceparent }),
  }))
  await db.transaction(async (tx) => {
    // on the disk before they are removed from where they came
    await tx.execute(sql`set local synchronous_commit = on`)
    await tx.insert(outbox).values(rows).onConflictDoNothing()
  })
  await removeEvents(
    products,
    rows.map((row) => row.id),
  )
  db.wake()
  return pending.length
}

/** Removes what is settled for good and answers whose day is over. */
async function purge(db: Db): Promise<number> {
  const old = new Date(Date.now() - keepMs)
  await db.delete(outbox).where(lt(outbox.settledAt, old))
  await db.delete(inbox).where(lt(inbox.at, old))
  await db.delete(failures).where(lt(failures.droppedAt, old))
  const expired = new Date(Date.now() - keyLifetimeMs)
  for (const schema of databaseRoles.filter((role) => role !== 'events'))
    await db.execute(
      sql`delete from ${sql.identifier(schema)}.idempotency_keys where at < ${expired.toISOString()}`,
    )
  return 0
}
