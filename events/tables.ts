import { sql, type SQLWrapper } from 'drizzle-orm'
import {
  bigint,
  index,
  integer,
  jsonb,
  pgPolicy,
  pgSchema,
  primaryKey,
  text,
  uuid,
} from 'drizzle-orm/pg-core'
import type { Actor } from '../functions/shared/auth/actor.ts'
import { time } from '../functions/shared/store/columns.ts'

/** Whether a row is for the current role. Those of the relay's role are all rows; it may not read `secret`. */
const mine = (recipient: SQLWrapper) => sql`${recipient} = current_user or current_user = 'events'`

/**
 * The schema of event delivery. Domains may only insert, and only rows of their own (functions/migrate.ts creates
 * their policies); the relay and the dispatcher may read and change all rows.
 */
export const events = pgSchema('events')

const delivery = () => pgPolicy('delivery', { to: 'events', using: sql`true`, withCheck: sql`true` })

/**
 * Events, committed together with the changes that they report. The relay marks each published row and does
 * not use a cursor, because a transaction with a smaller id may commit later.
 */
export const outbox = events.table(
  'outbox',
  {
    id: uuid().primaryKey(),
    type: text().notNull(),
    source: text().notNull(),
    subject: text().notNull(),
    data: jsonb().notNull(),
    /** The version of the subject, if the data has one: the newest such event tells the subject's state. */
    version: integer(),
    traceparent: text(),
    /** Who caused it (functions/shared/auth/actor.ts). */
    actor: text().$type<Actor>(),
    time: time('time').notNull().defaultNow(),
    /** When to publish the event. A deadline is an event that is due in the future. */
    due: time('due').notNull().defaultNow(),
    /** The reactions that must handle (or park) the event before it is settled. Set by the relay. */
    awaits: text().array().notNull().default([]),
    /** How often it was published. Part of the message id, so that JetStream does not drop a resend. */
    publishes: integer().notNull().default(0),
    publishedAt: time('published_at'),
    /** The number of the event's latest message in the stream. */
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
    // partial, so that an event is in it once, and not also for each change before it is settled
    index('outbox_settled_at')
      .on(t.settledAt)
      .where(sql`${t.settledAt} is not null`),
    index('outbox_state')
      .on(t.subject, t.version)
      .where(sql`${t.version} is not null`),
    delivery(),
  ],
)

/** The events that each reaction has handled. Committed with its effect, so each event takes effect once. */
export const inbox = events.table(
  'inbox',
  {
    reaction: text().notNull(),
    eventId: uuid('event_id').notNull(),
    at: time('at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.eventId, t.reaction] }), index('inbox_at').on(t.at), delivery()],
)

/**
 * Failed deliveries. Each is retried at `next_at`. After the last attempt it is parked as a dead letter until
 * someone replays or drops it. Failures are stored here and not in JetStream, so a failing event does not
 * block others and survives the loss of the broker's disk.
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

/**
 * Secrets that one domain leaves for another, such as card tokens. An event refers to its secret by its
 * subject and never contains it. Row-level security: a role reads and deletes only what is left for it, and
 * the relay deletes what nobody has taken.
 */
export const secrets = events.table(
  'secrets',
  {
    subject: text().notNull(),
    /** The domain that it is left for, which is also the name of its role. */
    recipient: text().notNull(),
    secret: text().notNull(),
    at: time('at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.subject, t.recipient] }),
    index('secrets_at').on(t.at),
    pgPolicy('secrets_left', { for: 'insert', withCheck: sql`true` }),
    pgPolicy('secrets_read', { for: 'select', using: mine(t.recipient) }),
    pgPolicy('secrets_deleted', { for: 'delete', using: mine(t.recipient) }),
  ],
)
