import { sql } from 'drizzle-orm'
import { bigint, index, integer, jsonb, pgSchema, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { time } from '../functions/shared/store/columns.ts'

/** The schema of event delivery: domains may insert, only the relay and the dispatcher may read and change. */
export const events = pgSchema('events')

/**
 * Events that were committed together with what they tell of. The relay marks each row, never a high-water
 * cursor: a transaction with a smaller id may commit later.
 */
export const outbox = events.table(
  'outbox',
  {
    id: uuid().primaryKey(),
    type: text().notNull(),
    source: text().notNull(),
    subject: text().notNull(),
    data: jsonb().notNull(),
    traceparent: text(),
    time: time('time').notNull().defaultNow(),
    /** When it is to be published: a deadline is an event whose time is still to come. */
    due: time('due').notNull().defaultNow(),
    /** The reactions that must have run (or been parked) before the event is settled; the relay writes them. */
    awaits: text().array().notNull().default([]),
    /** How often it was published: part of the message id, so that JetStream does not drop a resend. */
    publishes: integer().notNull().default(0),
    publishedAt: time('published_at'),
    /** The stream's number of the latest message. */
    streamSeq: bigint('stream_seq', { mode: 'number' }),
    settledAt: time('settled_at'),
  },
  (t) => [
    index('outbox_due')
      .on(t.due, t.id)
      .where(sql`${t.publishedAt} is null`),
    index('outbox_unsettled')
      .on(t.publishedAt)
      .where(sql`${t.settledAt} is null`),
    index('outbox_settled').on(t.settledAt),
  ],
)

/** What each reaction has done: the row is committed with its effect, so an event has one effect a reaction. */
export const inbox = events.table(
  'inbox',
  {
    reaction: text().notNull(),
    eventId: uuid('event_id').notNull(),
    at: time('at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.eventId, t.reaction] }), index('inbox_at').on(t.at)],
)

/**
 * Deliveries that failed: tried again at `next_at`, and after the last attempt parked (a dead letter) until
 * someone replays or drops them. They live here and not in JetStream, so a failing event neither holds up its
 * neighbours nor is forgotten with the broker's disk.
 */
export const failures = events.table(
  'failures',
  {
    reaction: text().notNull(),
    eventId: uuid('event_id').notNull(),
    /** The CloudEvent, in its JSON format. */
    event: jsonb().notNull(),
    attempts: integer().notNull(),
    error: text().notNull(),
    at: time('at').notNull().defaultNow(),
    nextAt: time('next_at'),
    parkedAt: time('parked_at'),
    droppedAt: time('dropped_at'),
  },
  (t) => [primaryKey({ columns: [t.eventId, t.reaction] }), index('failures_due').on(t.nextAt)],
)
