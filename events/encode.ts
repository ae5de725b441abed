import { typePrefix } from './event.ts'

/** An event as it is stored in the outbox, where it was validated. */
export interface Emitted {
  id: string
  type: string
  source: string
  subject: string
  time: Date
  traceparent: string | null
  actor: string | null
  /** In JSON. */
  data: string
}

/** An event as it is published. */
export interface Encoded {
  type: string
  /** The CloudEvent, in structured mode. */
  json: string
}

/** The `Content-Type` of an encoded event. */
export const encodedType = 'application/cloudevents+json; charset=utf-8'

/**
 * Encodes an event as a CloudEvent 1.0. It does not parse the data, and does not use the library `cloudevents`, which
 * would validate the event once more; a test compares the two.
 */
export function encode({ id, type, source, subject, time, traceparent, actor, data }: Emitted): Encoded {
  const attributes = JSON.stringify({
    id,
    time: time.toISOString(),
    type: typePrefix + type,
    source,
    specversion: '1.0',
    datacontenttype: 'application/json',
    subject,
    ...(traceparent === null ? {} : { traceparent }),
    ...(actor === null ? {} : { actor }),
  })
  return { type, json: `${attributes.slice(0, -1)},"data":${data}}` }
}
