import type { Collection } from 'mongodb'
import { uuidv7 } from 'uuidv7'
import { catalogue, type EventData, type EventType, type ShopEvent } from '../../events/catalogue.ts'
import type { ProductDocument } from './product.ts'

type ProductEvent = EventType & `product.${string}`

/** An event that waits in the document of its product. */
export type OutboxEntry<T extends ProductEvent = ProductEvent> = Omit<ShopEvent<T>, 'subject'>

/** An event to write with its product; throws where the data does not fit the catalogue. */
export function outboxEntry<T extends ProductEvent>(
  type: T,
  data: EventData<T>,
  traceparent?: string,
): OutboxEntry {
  // parsed by the schema of this very type
  const checked = catalogue[type].data.parse(data) as EventData<T>
  return {
    id: uuidv7(),
    type,
    time: new Date(),
    data: checked,
    ...(traceparent === undefined ? {} : { traceparent }),
  }
}

export interface PendingEvent {
  documentId: string
  event: ShopEvent
}

/** Events that wait in the documents: oldest first, and those of one product in the order of its changes. */
export async function pendingEvents(
  products: Collection<ProductDocument>,
  limit: number,
): Promise<PendingEvent[]> {
  const documents = await products
    .find({ 'outbox.id': { $gt: '' } }, { projection: { outbox: 1 } })
    .sort({ 'outbox.id': 1 })
    .limit(limit)
    .toArray()
  return documents
    .flatMap(({ _id, outbox }) =>
      outbox.map((entry) => ({ documentId: _id, event: { ...entry, subject: entry.data.sku } })),
    )
    .slice(0, limit)
}

/** Takes out events that are safe elsewhere; ids that are not there are no error. */
export async function removeEvents(products: Collection<ProductDocument>, ids: string[]): Promise<void> {
  await products.updateMany({ 'outbox.id': { $in: ids } }, { $pull: { outbox: { id: { $in: ids } } } })
}
