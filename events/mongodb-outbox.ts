import { setTimeout as pause } from 'node:timers/promises'
import type { Collection, Document, Filter } from 'mongodb'
import { uuidv7 } from 'uuidv7'
import type * as z from 'zod'
import type { Actor } from '../functions/shared/auth/actor.ts'
import type { EventSpec } from '../functions/shared/domain.ts'

/** An event in the document that it is about, so that one write changes the document and emits the event. */
export interface OutboxEntry<T extends string = string> {
  id: string
  type: T
  /** The id (or SKU) of the thing that the event is about. */
  subject: string
  time: Date
  /** When to publish the event; at once if not set. */
  at?: Date
  traceparent?: string
  actor?: Actor
  data: unknown
}

/** A document with an outbox. Its domain's `domain.ts` lists its collection in `outboxes`. */
export interface WithOutbox extends Document {
  _id: string
  outbox: OutboxEntry[]
}

export interface EntryOptions {
  at?: Date
  /** The trace of the request that causes the event, and who makes it. */
  traceparent?: string | undefined
  actor?: Actor
}

/**
 * Returns an event to write with its document.
 * @param events the domain's event types, from its events.ts
 * @throws if the data does not match the event's schema
 */
export function outboxEntry<E extends Record<string, EventSpec>, const T extends keyof E & string>(
  events: E,
  type: T,
  subject: string,
  data: z.input<E[T]['data']>,
  { at, traceparent, actor }: EntryOptions = {},
): OutboxEntry<T> {
  return {
    id: uuidv7(),
    type,
    subject,
    time: new Date(),
    data: events[type]!.data.parse(data),
    ...(at === undefined ? {} : { at }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(actor === undefined ? {} : { actor }),
  }
}

/**
 * Returns pending events. Documents are sorted by their oldest event; events of one document are in the order
 * of its changes.
 */
export async function pendingEvents(
  collection: Collection<WithOutbox>,
  limit: number,
): Promise<OutboxEntry[]> {
  const documents = await collection
    .find({ 'outbox.id': { $gt: '' } }, { projection: { outbox: 1 } })
    .sort({ 'outbox.id': 1 })
    .limit(limit)
    .toArray()
  return documents.flatMap(({ outbox }) => outbox).slice(0, limit)
}

/** Removes events that are stored in the relay's outbox. Ignores unknown ids. */
export async function removeEvents(collection: Collection<WithOutbox>, ids: string[]): Promise<void> {
  await collection.updateMany(
    { 'outbox.id': { $in: ids } },
    { $pull: { outbox: { id: { $in: ids } } } as never },
  )
}

/**
 * Waits until the relay has copied an event from its document into the outbox. From then on, a function that
 * reads the newest state events (state-events.ts) finds it.
 * @param id the document's id
 * @returns whether that happened within `ms`
 */
export const collected = (collection: Collection<WithOutbox>, id: string, event: string, ms: number) =>
  isGone(collection, { _id: id, 'outbox.id': event }, ms)

/** Waits like `collected`, for several events. */
export const allCollected = (collection: Collection<WithOutbox>, events: readonly string[], ms: number) =>
  isGone(collection, { 'outbox.id': { $in: [...events] } }, ms)

/** Waits until no document matches. Returns whether that happened within `ms`. */
async function isGone(
  collection: Collection<WithOutbox>,
  pending: Filter<WithOutbox>,
  ms: number,
): Promise<boolean> {
  const until = performance.now() + ms
  for (let wait = 10; performance.now() < until; wait = Math.min(1.5 * wait, 250)) {
    if ((await collection.findOne(pending, { projection: { _id: 1 } })) === null) return true
    await pause(wait)
  }
  return false
}
