import type { CloudEventV1 } from 'cloudevents'
import { isActor } from '../functions/shared/auth/actor.ts'
import { traceparentOf } from '../functions/shared/http/trace-context.ts'
import { InvalidEvent, typePrefix, type EventSpecs, type EventType, type ShopEvent } from './event.ts'

/** Returns an event type without our prefix. @throws InvalidEvent if it does not have the prefix */
export function typeOf(type: unknown): string {
  if (typeof type === 'string' && type.startsWith(typePrefix)) return type.slice(typePrefix.length)
  throw new InvalidEvent(`there is no event type ${String(type)}`)
}

/**
 * Decodes and validates a CloudEvent.
 * @param known the accepted event types
 * @throws InvalidEvent if its type is not among them, or its data does not match the schema
 */
export function fromCloudEvent(event: CloudEventV1<unknown>, known: EventSpecs): ShopEvent {
  // the sender may have omitted any attribute
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
  const { actor, source } = event
  const traceparent = traceparentOf(event['traceparent'])
  return {
    id,
    type: type as EventType,
    source,
    subject: event.subject ?? '',
    time: new Date(event.time ?? Date.now()),
    // parsed by the schema of this type
    data: data.data as ShopEvent['data'],
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(isActor(actor) ? { actor } : {}),
  }
}
