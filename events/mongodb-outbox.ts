import type { Collection, Document } from 'mongodb'
import { uuidv7 } from 'uuidv7'
import type * as z from 'zod'
import type { EventSpec } from '../functions/shared/domain.ts'

/** An event that waits in the document that it is about, so that one write is atomic with its event. */
export interface OutboxEntry<T extends string = string> {
  id: string
  type: T
  /** The id (or SKU) of what it is about. */
  subject: string
  time: Date
  /** When it is to be published; at once if it is not set. */
  at?: Date
  traceparent?: string
  data: unknown
}

/** A document of a domain whose `domain.ts` names its collection among the `outboxes`. */
export interface WithOutbox extends Document {
  _id: string
  outbox: OutboxEntry[]
}

/**
 * An event to write with its document.
 * @param events those of the domain, from its events.ts
 * @throws if the data does not fit the event's schema
 */
export function outboxEntry<E extends Record<string, EventSpec>, const T extends keyof E & string>(
  events: E,
  type: T,
  subject: string,
  data: z.input<E[T]['data']>,
  { at, traceparent }: { at?: Date; traceparent?: string | undefined } = {},
): OutboxEntry<T> {
  return {
    id: uuidv7(),
    type,
    subject,
    time: new Date(),
    data: events[type]!.data.parse(data),
    ...(at === undefined ? {} : { at }),
    ...(traceparent === undefined ? {} : { traceparent }),
  }
}

/** Events that wait in the documents: oldest first, and those of one document in the order of its changes. */
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

/** Removes events that are safe elsewhere; ids that are not there are no error. */
export async function removeEvents(collection: Collection<WithOutbox>, ids: string[]): Promise<void> {
  await collection.updateMany(
    { 'outbox.id': { $in: ids } },
    { $pull: { outbox: { id: { $in: ids } } } as never },
  )
}
