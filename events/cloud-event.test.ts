import { uuidv7 } from 'uuidv7'
import { describe, expect, it } from 'vitest'
import type { Actor } from '../functions/shared/auth/actor.ts'
import { events } from '../functions/orders/events.ts'
import { toCloudEvent } from '../test/cloud-event.ts'
import { fromCloudEvent } from './cloud-event.ts'
import type { ShopEvent } from './event.ts'

const orderId = uuidv7()
const event: ShopEvent<'order.shipped'> = {
  id: uuidv7(),
  type: 'order.shipped',
  source: '/orders',
  subject: orderId,
  time: new Date(),
  data: { orderId },
}

describe('the actor of an event', () => {
  it.each<Actor>(['system', 'anonymous', `staff:${uuidv7()}`])('is a CloudEvents attribute: %s', (actor) => {
    const encoded = toCloudEvent({ ...event, actor })
    expect(encoded['actor']).toBe(actor)
    expect(fromCloudEvent(encoded, events)).toEqual({ ...event, actor })
  })

  it('may be missing, as in events of earlier versions', () => {
    const encoded = toCloudEvent(event)
    expect(encoded).not.toHaveProperty('actor')
    expect(fromCloudEvent(encoded, events)).toEqual(event)
  })

  it.each(['root', 'staff', 'boss:01999d3c-7b57-7d0c-8d1c-5a9f1c2b3d4e', 'staff:<script>'])(
    'is ignored if it is none: %s',
    (actor) => {
      const encoded = toCloudEvent(event).cloneWith({ actor })
      expect(fromCloudEvent(encoded, events)).toEqual(event)
    },
  )
})
