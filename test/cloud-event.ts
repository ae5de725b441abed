import { CloudEvent } from 'cloudevents'
import { typePrefix, type ShopEvent } from '../events/event.ts'

/** Returns an event as a CloudEvent 1.0 of the library, which validates it. @throws if the CloudEvent is not valid */
export function toCloudEvent(event: ShopEvent): CloudEvent<unknown> {
  const { id, type, source, subject, time, traceparent, actor, data } = event
  return new CloudEvent({
    id,
    type: typePrefix + type,
    source,
    subject,
    time: time.toISOString(),
    datacontenttype: 'application/json',
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(actor === undefined ? {} : { actor }),
    data,
  })
}
