import * as z from 'zod'
import { catalogue, type EventType } from '../events/catalogue.ts'
import { subjectOf, typePrefix } from '../events/event.ts'
import { reactionsOn } from '../functions/table.ts'

const types = Object.keys(catalogue) as EventType[]

/** The JSON Schema (2020-12) of an event's data. */
export const dataSchema = (type: EventType) => ({
  $id: `https://zeroshop.dev/events/${type}.json`,
  title: type,
  description: `${catalogue[type].summary}.`,
  ...z.toJSONSchema(catalogue[type].data),
})

/** Every event's JSON Schema. */
export const eventSchemas = () => Object.fromEntries(types.map((type) => [type, dataSchema(type)]))

/** Returns the AsyncAPI 3.0 document: a channel for each event type, with its senders and receivers. */
export function asyncApiDocument() {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Zeroshop events',
      version: '1.0.0',
      description:
        'CloudEvents 1.0 over NATS JetStream (stream `zeroshop`), in structured mode. Delivered at least once, in no particular order.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/cloudevents+json',
    servers: { nats: { host: 'localhost:4222', protocol: 'nats' } },
    channels: Object.fromEntries(
      types.map((type) => [
        type,
        { address: subjectOf(type), messages: { event: { $ref: `#/components/messages/${type}` } } },
      ]),
    ),
    operations: Object.fromEntries(types.flatMap((type) => [...send(type), ...receive(type)])),
    components: {
      messages: Object.fromEntries(types.map((type) => [type, message(type)])),
      schemas: eventSchemas(),
    },
  }
}

const channel = (type: EventType) => ({ $ref: `#/channels/${type}` })

const send = (type: EventType) => [
  [`${catalogue[type].domain}.sends.${type}`, { action: 'send', channel: channel(type) }],
]

const receive = (type: EventType) =>
  reactionsOn(type).map((name) => [`${name}.receives.${type}`, { action: 'receive', channel: channel(type) }])

function message(type: EventType) {
  return {
    name: type,
    summary: catalogue[type].summary,
    contentType: 'application/cloudevents+json',
    payload: {
      type: 'object',
      required: ['specversion', 'id', 'type', 'source', 'subject', 'time', 'data'],
      properties: {
        specversion: { const: '1.0' },
        id: { type: 'string', format: 'uuid' },
        type: { const: typePrefix + type },
        source: { const: `/${catalogue[type].domain}` },
        subject: { type: 'string' },
        time: { type: 'string', format: 'date-time' },
        datacontenttype: { const: 'application/json' },
        traceparent: { type: 'string' },
        actor: {
          type: 'string',
          description:
            'Who caused it: `system`, `anonymous`, or a role and the id of a user, such as `staff:…`.',
        },
        data: { $ref: `#/components/schemas/${type}` },
      },
    },
  }
}
