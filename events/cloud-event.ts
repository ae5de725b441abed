import { CloudEvent, type CloudEventV1 } from 'cloudevents'
import { catalogue, sourceOf, typePrefix, type EventType, type ShopEvent } from './catalogue.ts'

/** An event that no reaction can take, now or later. */
export class InvalidEvent extends Error {}

/** Encodes an event as a CloudEvent 1.0; the constructor validates it. */
export function toCloudEvent({ id, type, subject, time, traceparent, data }: ShopEvent): CloudEvent<unknown> {
  return new CloudEvent({
    id,
    type: typePrefix + type,
    source: sourceOf(type),
    subject,
    time: time.toISOString(),
    datacontenttype: 'application/json',
    ...(traceparent === undefined ? {} : { traceparent }),
    data,
  })
}

/** Decodes and checks a CloudEvent of ours; throws `InvalidEvent` where its type or data is not in the catalogue. */
export function fromCloudEvent(event: CloudEventV1<unknown>): ShopEvent {
  // whoever sent it may have left anything out
  const { id, type: given }: Record<string, unknown> = event
  if (typeof id !== 'string' || typeof given !== 'string') throw new InvalidEvent('it has no id or type')
  const type = given.slice(typePrefix.length)
  if (!given.startsWith(typePrefix) || !Object.hasOwn(catalogue, type))
    throw new InvalidEvent(`there is no event type ${given}`)
  const known = type as EventType
  const data = catalogue[known].data.safeParse(event.data)
  if (!data.success)
    throw new InvalidEvent(
      `${given}: ${data.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ')}`,
    )
  const { traceparent } = event
  return {
    id,
    type: known,
    subject: event.subject ?? '',
    time: new Date(event.time ?? Date.now()),
    data: data.data,
    ...(typeof traceparent === 'string' ? { traceparent } : {}),
  }
}
