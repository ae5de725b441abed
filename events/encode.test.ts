import { HTTP } from 'cloudevents'
import { assert, jsonValue, property, string } from 'fast-check'
import { uuidv7 } from 'uuidv7'
import { expect, it } from 'vitest'
import { toCloudEvent } from '../test/cloud-event.ts'
import { encode, encodedType } from './encode.ts'
import type { EventType, ShopEvent } from './event.ts'

/** What the library publishes for an event, and what is published for the row of the event. */
function both({ traceparent, actor, ...row }: Parameters<typeof encode>[0]) {
  const event = {
    ...row,
    type: row.type as EventType,
    data: JSON.parse(row.data) as ShopEvent['data'],
    ...(traceparent !== null && { traceparent }),
    ...(actor !== null && { actor: actor as NonNullable<ShopEvent['actor']> }),
  }
  const expected = HTTP.structured(toCloudEvent(event))
  return { expected, encoded: encode({ ...row, traceparent, actor }) }
}

const row = {
  id: uuidv7(),
  type: 'order.shipped',
  source: '/orders',
  subject: 'MUG',
  time: new Date(),
  traceparent: null,
  actor: null,
  data: '{"sku": "MUG", "price": {"amount": 900}}',
}
const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

it.each([
  ['with no optional attribute', row],
  ['with a trace and an actor', { ...row, traceparent: trace, actor: `staff:${uuidv7()}` }],
])('encodes an event %s as the CloudEvents library does', (_, row) => {
  const { expected, encoded } = both(row)
  expect(encodedType).toBe(expected.headers['content-type'])
  expect(JSON.parse(encoded.json)).toEqual(JSON.parse(String(expected.body)))
  const parsed = HTTP.toEvent({ headers: { 'content-type': encodedType }, body: encoded.json })
  expect(parsed).toMatchObject({ type: 'dev.zeroshop.order.shipped', data: JSON.parse(row.data) as object })
})

it('encodes any subject and data', () => {
  assert(
    property(string({ minLength: 1, unit: 'binary' }), jsonValue(), (subject, value) => {
      const { expected, encoded } = both({ ...row, subject, data: JSON.stringify({ value }, null, 1) })
      expect(JSON.parse(encoded.json)).toEqual(JSON.parse(String(expected.body)))
    }),
    { numRuns: 20 },
  )
})
