import * as z from 'zod'
import { sql } from 'drizzle-orm'
import { index, integer, jsonb, pgSchema, text, unique, uuid } from 'drizzle-orm/pg-core'
import { time } from '../shared/store/columns.ts'
import { requestCountsTable } from '../shared/store/counts-table.ts'
import { endedSessionsTable } from '../shared/store/ended-sessions-table.ts'
import { idempotencyTable } from '../shared/store/idempotency-table.ts'
import { Id, Timestamp } from '../shared/schemas/schemas.ts'
import { kinds, languages, type Facts, type Kind, type Language } from './texts.ts'
import type { OrderNews, SellerLines } from './webhook-orders.ts'

/** Notifications: tables and schemas. */

export const schema = pgSchema('notifications')

/** Where users can be reached. A row may be there before its address, because events come in any order. */
export const contacts = schema.table('contacts', {
  userId: uuid('user_id').primaryKey(),
  email: text(),
  name: text(),
  language: text().$type<Language>().notNull().default('en'),
  /** When the user chose it. */
  languageAt: time('language_at'),
  /** The newest contact that is kept. Ids are UUIDv7, so a later one is larger. */
  contactId: uuid('contact_id'),
  /** The number of the user's notifications so far. */
  notified: integer().notNull().default(0),
  /** The account to which the customer belongs by now, if it is a record that staff keep. */
  claimedBy: uuid('claimed_by'),
  /** The user wants no mails, except about the security of the account. */
  unsubscribedAt: time('unsubscribed_at'),
  /** A deleted user is told nothing, however late an event comes. */
  deletedAt: time('deleted_at'),
})

export type ContactRow = typeof contacts.$inferSelect

export const notifications = schema.table(
  'notifications',
  {
    id: uuid().primaryKey(),
    /** The event that it tells of. */
    eventId: uuid('event_id').notNull(),
    /** Null until `order.placed` says whose order it is, because events come in any order. */
    userId: uuid('user_id'),
    /** Counts the user's notifications. Assigned while the user's contact is locked, so that it rises with each commit. */
    seq: integer(),
    kind: text().$type<Kind>().notNull(),
    orderId: uuid('order_id'),
    /** What its text says, in no language. */
    facts: jsonb().$type<Facts>().notNull(),
    at: time('at').notNull(),
    readAt: time('read_at'),
    /** Where it is mailed, if not to the contact's address. Null once it is sent. */
    mailTo: text('mail_to'),
  },
  (t) => [
    unique('notifications_once').on(t.eventId, t.userId).nullsNotDistinct(),
    index('notifications_of_user').on(t.userId, t.seq),
    index('notifications_unread')
      .on(t.userId, t.seq)
      .where(sql`${t.readAt} is null`),
    index('notifications_of_nobody')
      .on(t.orderId)
      .where(sql`${t.userId} is null`),
  ],
)

export type NotificationRow = typeof notifications.$inferSelect

/** See mails.ts. */
export const mailStatuses = ['waiting', 'sending', 'failed', 'sent', 'refused'] as const
export type MailStatus = (typeof mailStatuses)[number]

/** Mails that are, or will be, handed to the mail server. */
export const mails = schema.table(
  'mails',
  {
    /** The id of its notification. */
    id: uuid().primaryKey(),
    userId: uuid('user_id'),
    status: text().$type<MailStatus>().notNull(),
    attempts: integer().notNull().default(0),
    /** Until when an attempt may be under way. */
    lease: time('lease'),
    at: time('at').notNull().defaultNow(),
  },
  (t) => [index('mails_of_user').on(t.userId)],
)

/** Whose orders they are. The customer is null until `order.placed` has come. */
export const orders = schema.table('orders', {
  id: uuid().primaryKey(),
  customerId: uuid('customer_id'),
  /** The lines whose sellers have webhook endpoints, if there are any. */
  sellerLines: jsonb('seller_lines').$type<SellerLines>(),
  /** What happened before it was known whose order it is, for the webhooks. */
  early: jsonb().$type<OrderNews[]>(),
})

export const idempotencyKeys = idempotencyTable(schema)
export const endedSessions = endedSessionsTable(schema)
export const requestCounts = requestCountsTable(schema)

export const Notification = z
  .object({
    id: Id,
    seq: z.int().meta({
      description: 'Counts the user’s notifications. As Last-Event-ID, the stream goes on after it.',
    }),
    kind: z.enum(kinds),
    title: z.string(),
    text: z.string(),
    language: z.enum(languages).meta({ description: 'Of the title and the text.' }),
    orderId: Id.nullable(),
    at: Timestamp,
    readAt: Timestamp.nullable(),
  })
  .meta({ id: 'Notification' })
export type Notification = z.infer<typeof Notification>

export const MailPreferences = z
  .object({
    mails: z.boolean().meta({
      description: 'Whether the user gets mails. Those about the security of the account are always sent.',
    }),
  })
  .meta({ id: 'MailPreferences' })
