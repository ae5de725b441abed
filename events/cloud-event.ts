import { CloudEvent, type CloudEventV1 } from 'cloudevents'
import { typePrefix, type EventSpecs, type EventType, type ShopEvent } from './event.ts'

/** An event that a reaction can take neither now nor later. */
export class InvalidEvent extends Error {}

/** Encodes an event as a CloudEvent 1.0; the constructor validates it. */
export function toCloudEvent(event: ShopEvent): CloudEvent<unknown> {
  const { id, type, source, subject, time, traceparent, data } = event
  return new CloudEvent({
    id,
    type: typePrefix + type,
    source,
    subject,
    time: time.toISOString(),
    datacontenttype: 'application/json',
    ...(traceparent === undefined ? {} : { traceparent }),
    data,
  })
}

/** The type of a CloudEvent without its prefix. @throws InvalidEvent if it is not one of ours */
export function typeOf(type: unknown): string {
  if (typeof type === 'string' && type.startsWith(typePrefix)) return type.slice(typePrefix.length)
  throw new InvalidEvent(`there is no event type ${String(type)}`)
}

/**
 * Decodes and checks a CloudEvent of ours.
 * @param known the event types that may come
 * @throws InvalidEvent if its type is none of them, or its data does not fit
 */
export function fromCloudEvent(event: CloudEventV1<unknown>, known: EventSpecs): ShopEvent {
  // the sender may have left anything out
  const { id, type: given }: Record<string, unknown> = event
  if (typeof id !== 'string' || typeof given !== 'string') throw new InvalidEvent('it has no id or type')
  const type = typeOf(given)
  const spec = Object.hasOwn(known, type) ? known[type] : undefined
  if (spec === undefined) throw new InvalidEvent(`there is no event type ${given}`)
  const data = spec.data.safeParse(event.data)
  if (!data.success)
    throw new InvalidEvent(
      `${given}: ${data.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ')}`,
    )
  const { traceparent, source } = event
  return {
    id,
    type: type as EventType,
    source,
    subject: event.subject ?? '',
    time: new Date(event.time ?? Date.now()),
    // parsed by the schema of this very type
    data: data.data as ShopEvent['data'],
    ...(typeof traceparent === 'string' ? { traceparent } : {}),
  }
}
