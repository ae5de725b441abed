import { createSigner } from '../events/signature.ts'

/** The key of every domain's deliveries in tests. */
export const deliveryKey = `whsec_${Buffer.alloc(32, 'test').toString('base64')}`

/** Returns the headers of a delivery as the dispatcher sends it. `body` is a CloudEvent in structured mode. */
export function deliveryHeaders(body: string, key = deliveryKey): Record<string, string> {
  const { id } = JSON.parse(body) as { id: string }
  return { 'content-type': 'application/cloudevents+json; charset=utf-8', ...createSigner([key])(id, body) }
}
