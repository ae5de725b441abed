import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type postgres from 'postgres'
import type { Db } from '../functions/shared/store/postgres.ts'
import { encode, type Emitted } from './encode.ts'
import { isBrokerError, isTooLarge, type Broker } from './jetstream.ts'
import { listeners } from './listeners.table.ts'
import type { Again, Failing } from './loop.ts'
import { repairStream } from './repair.ts'
import { publishing } from './spans.ts'

/** The maximum number of events that are published together. */
const batch = 512
/**
 * The time from the beginning of a turn to that of the next, in ms: so much for each event of the turn after the
 * first, within these bounds. A turn takes as many statements for one event as for a hundred, so it is cheaper to publish several together. If
 * events come faster than one in `perEventMs`, the turns grow to the longest; an event that comes alone does not wait.
 */
const perEventMs = 5
const turnMs = { min: 5, max: 30 }
/**
 * If so many events are due in a turn, orders come faster than this machine processes them. The relay then rests for ten
 * times as long as the turn took, so that orders are accepted first, and what follows from them is done in larger batches.
 */
const manyEvents = 40
const restFactor = 10
/** The longest such rest, in ms. */
const maxRestMs = 250
/** How long after it is due an event is late, in ms. */
const lateAfterMs = 5_000

type Lane = 'new' | 'late'
/** The number of its connections to PostgreSQL. */
export const publishers = 2

interface Row extends Emitted {
  publishes: number
}

interface PublisherOptions {
  db: Db
  broker: Broker
  log: Logger
}

/**
 * Opens the publisher: a function that publishes a batch of due events of a lane, oldest first, and returns when to run
 * it again. New events have a lane of their own, so that an order that is placed now does not wait until those are
 * published that are late, for example because the broker was away. While many are late, they take a third of the time.
 * Order across the lanes does not matter, because reactions accept events in any.
 */
export function openPublisher({ db, broker, log }: PublisherOptions) {
  // a connection for each lane, so that the statements of a transaction are pipelined
  const connections = { new: db.single(), late: db.single() }
  const began = { new: 0, late: 0 }
  /** The times from which on the next turns may begin, by performance.now(). */
  const next = { new: 0, late: 0 }
  let repaired = 0
  /** When JetStream last accepted an event of either lane, by Date.now(). */
  let accepted = 0

  return {
    publish,
    close: () => Promise.all(Object.values(connections).map((sql) => sql.end({ timeout: 5 }))),
  }

  /** Publishes a batch, and repairs the stream if JetStream accepts none of it. */
  async function publish(lane: Lane, failing: Failing | undefined): Promise<number | Again> {
    const sql = connections[lane]
    const wait = next[lane] - performance.now()
    if (wait > 0) await pause(wait)
    began[lane] = performance.now()
    next[lane] = began[lane] + turnMs.min
    try {
      const count = await publishBatch(sql, broker, lane, () => (accepted = Date.now()))
      next[lane] = began[lane] + Math.min(Math.max((count - 1) * perEventMs, turnMs.min), turnMs.max)
      const tookMs = performance.now() - began[lane]
      if (count === batch) return lane === 'new' ? 1 : { withinMs: 2 * tookMs }
      if (lane === 'new' && count >= manyEvents)
        next[lane] = performance.now() + Math.min(restFactor * tookMs, maxRestMs)
      return 0
    } catch (error) {
      await sql`rollback`.catch(() => {})
      // the other lane may have repaired the stream in the meantime
      if (isBrokerError(error) && !isTooLarge(error) && began[lane] > repaired) await repair(failing)
      throw error
    }
  }

  async function repair(failing: Failing | undefined) {
    // a stream that accepts events of the other lane is not broken
    const since = failing === undefined ? Date.now() : Math.max(failing.since.getTime(), accepted)
    const failingForMs = Date.now() - since
    repaired = Number.POSITIVE_INFINITY
    try {
      await repairStream(broker, { failingForMs }, log)
    } finally {
      repaired = performance.now()
    }
  }
}

/**
 * Publishes a batch of due events and marks them. Returns how many there were.
 * @param onAccepted called if JetStream has accepted some
 * @throws the first error if JetStream accepts none of them
 */
async function publishBatch(
  sql: postgres.Sql,
  broker: Broker,
  lane: Lane,
  onAccepted: () => void,
): Promise<number> {
  const [, rows] = await Promise.all([sql`begin`, lockDue(sql, lane)])
  const results = await Promise.allSettled(
    // async, so that an event that cannot be encoded fails alone
    rows.map(async (row) =>
      publishing(row, async (event) => broker.publish(encode(event), `${row.id}.${row.publishes}`)),
    ),
  )
  const published = rows.flatMap(({ id, type }, i) => {
    const result = results[i]!
    return result.status === 'fulfilled' ? [{ id, seq: result.value, awaits: listeners[type] ?? [] }] : []
  })
  if (published.length > 0) onAccepted()
  // started first, whatever starts the commit
  const marking = published.length > 0 && mark(sql, published).execute()
  await Promise.all([marking, sql.unsafe('commit')])
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined && published.length === 0) throw failed.reason
  return rows.length
}

/** Locks and returns the oldest events of a lane that are due. */
const lockDue = (sql: postgres.Sql, lane: Lane) => sql<Row[]>`
  select id, type, source, subject, data::text as data, traceparent, actor, time, publishes from events.outbox
  where published_at is null and ${
    lane === 'late' ? sql`due <= ${lateSince(sql)}` : sql`due <= now() and due > ${lateSince(sql)}`
  }
  order by due, id limit ${batch} for update skip locked`

const lateSince = (sql: postgres.Sql) => sql`now() - ${lateAfterMs}::int * interval '1 ms'`

/**
 * Marks events as published, and as settled if no reaction awaits them. They are locked, so `published_at is null` would
 * only mislead the planner: it would read the index of all that is not published yet.
 */
const mark = (sql: postgres.Sql, published: { id: string; seq: number; awaits: readonly string[] }[]) => sql`
  update events.outbox set published_at = now(), publishes = publishes + 1, stream_seq = published.seq,
    awaits = published.awaits, settled_at = case when cardinality(published.awaits) = 0 then now() end
  from jsonb_to_recordset(${JSON.stringify(published)}::text::jsonb) as published (id uuid, seq bigint, awaits text[])
  where outbox.id = published.id`
