import { uuidv7 } from 'uuidv7'
import { reactionsOn } from '../functions/functions.ts'
import type { Db, Tx } from '../functions/shared/store/postgres.ts'
import { catalogue, sourceOf, type EventData, type EventType } from './catalogue.ts'
import { outbox } from './tables.ts'

/**
 * The outbox row of an event; throws where the data does not fit the catalogue, so that nothing that no
 * reaction can read is ever committed.
 * @param subject the id (or SKU) of what it tells of
 */
export function outboxRow<T extends EventType>(
  type: T,
  subject: string,
  data: EventData<T>,
  traceparent?: string,
): typeof outbox.$inferInsert {
  return {
    id: uuidv7(),
    type,
    source: sourceOf(type),
    subject,
    data: catalogue[type].data.parse(data),
    time: new Date(),
    awaits: reactionsOn(type),
    ...(traceparent === undefined ? {} : { traceparent }),
  }
}

/** Puts an event into the outbox, in the caller's transaction: it is published if and only if that commits. */
export async function emit<T extends EventType>(
  tx: Tx | Db,
  type: T,
  subject: string,
  data: EventData<T>,
  traceparent?: string,
): Promise<void> {
  await tx.insert(outbox).values(outboxRow(type, subject, data, traceparent))
}
