import { eq } from 'drizzle-orm'
import { importJWK, SignJWT } from 'jose'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { InvalidEvent } from '../../events/event.ts'
import { knowProducts, newOrder, place, putStatus } from '../../test/orders.ts'
import { expectInvalid } from '../../test/problems.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { outbox } from '../../events/tables.ts'
import { operations } from '../table.ts'
import { audience, issuer } from '../shared/auth/access-token.ts'
import { openPostgres } from '../shared/store/postgres.ts'
import { timeline } from './order.ts'

let shop: TestShop
const nowhere = '01999d3c-7b57-7d0c-8d1c-5a9f1c2b3d4e'

beforeAll(async () => {
  shop = await openShop(['orders'])
  await knowProducts(shop, ['MUG', 1250])
})
afterAll(() => shop.close())

const callsOf = [
  ['get-order', (id: string, as?: never) => shop.get(`/orders/${id}`, { as: as! })],
  ['get-order-timeline', (id: string, as?: never) => shop.get(`/orders/${id}/timeline`, { as: as! })],
  ['watch-order', (id: string, as?: never) => shop.get(`/orders/${id}/events`, { as: as! })],
  [
    'update-order',
    (id: string, as?: never) => shop.patch(`/orders/${id}`, { as: as!, body: { note: 'x' }, ifMatch: '"1"' }),
  ],
  [
    'cancel-order',
    (id: string, as?: never) => shop.post(`/orders/${id}/cancellation`, { as: as!, body: {} }),
  ],
] as const

describe.each(callsOf)('%s', (_, call) => {
  it('returns 404 if there is no such order', async () => {
    expect(await call(nowhere, shop.newUser() as never)).toMatchObject({ status: 404 })
  })

  it('returns 404 for someone else’s order', async () => {
    const { id } = await place(shop, shop.newUser())
    expect(await call(id, shop.newUser() as never)).toMatchObject({ status: 404 })
    expect(await call(id, shop.newUser('seller') as never)).toMatchObject({ status: 404 })
  })

  it('rejects an invalid id', async () => {
    expect(await call('7', shop.newUser() as never)).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/path/id' }] },
    })
  })

  it('requires a login', async () => {
    expect(await call(nowhere)).toMatchObject({ status: 401 })
  })
})

describe('get-order', () => {
  it('returns 304 to a client that has the current version', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    const answer = await shop.get(`/orders/${id}`, { as: user, headers: { 'if-none-match': '"1"' } })
    expect([answer.status, answer.text]).toEqual([304, ''])
  })

  it('shows staff any order', async () => {
    const { id } = await place(shop, shop.newUser())
    expect((await shop.get(`/orders/${id}`, { as: 'staff' })).status).toBe(200)
  })
})

describe('list-orders', () => {
  it('points to each fault of a query', async () =>
    expectInvalid(
      await shop.get('/orders?limit=0&sort=price', { as: 'customer' }),
      { pointer: '/query/limit', detail: 'Too small: expected number to be >=1' },
      { pointer: '/query/sort', detail: 'Invalid option: expected one of "newest"|"oldest"' },
    ))

  it('pages through a customer’s own orders, newest first', async () => {
    const user = shop.newUser()
    const placed: string[] = []
    for (let n = 0; n < 5; n++) placed.push((await place(shop, user)).id)
    const seen: string[] = []
    let path: string | undefined = '/orders?limit=2'
    while (path !== undefined) {
      const { body, headers } = await shop.get(path, { as: user })
      seen.push(...body.items.map((order: { id: string }) => order.id))
      path = /<\/api\/v1([^>]+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1]
    }
    expect(seen).toEqual(placed.toReversed())
  })

  it('filters by status', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    await place(shop, user)
    await putStatus(shop, id, 'shipped')
    const { body } = await shop.get('/orders?status=shipped', { as: user })
    expect(body.items.map((order: { id: string }) => order.id)).toEqual([id])
  })

  it('filters by customer for staff, but always shows customers only their own orders', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    const { body } = await shop.get(`/orders?customerId=${user.id}`, { as: 'staff' })
    expect(body.items.map((order: { id: string }) => order.id)).toEqual([id])
    expect((await shop.get(`/orders?customerId=${user.id}`, { as: shop.newUser() })).body.items).toEqual([])
  })

  it.each(['limit=0', 'limit=1000000000', 'sort=price', 'cursor=nonsense', 'cursor=WzFd', 'colour=red'])(
    'rejects ?%s',
    async (query) => {
      expect((await shop.get(`/orders?${query}`, { as: 'customer' })).status).toBe(400)
    },
  )
})

describe('update-order', () => {
  it('changes the address and the note until the order is shipped', async () => {
    const user = shop.newUser()
    const order = await place(shop, user)
    const deliveryAddress = { ...order.deliveryAddress, city: 'Hamburg' }
    const answer = await shop.patch(`/orders/${order.id}`, {
      as: user,
      ifMatch: '"1"',
      body: { deliveryAddress, note: 'quick' },
    })
    expect(answer).toMatchObject({
      status: 200,
      body: { deliveryAddress: { city: 'Hamburg' }, note: 'quick' },
    })
    expect(answer.headers.get('etag')).toBe('"2"')
    await putStatus(shop, order.id, 'shipped')
    const late = await shop.patch(`/orders/${order.id}`, { as: user, ifMatch: '"2"', body: { note: null } })
    expect(late).toMatchObject({
      status: 409,
      body: { detail: 'The order is shipped: it can no longer be changed.' },
    })
  })

  it('requires If-Match with the current version', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    expect((await shop.patch(`/orders/${id}`, { as: user, body: { note: 'x' } })).status).toBe(428)
    expect(
      (await shop.patch(`/orders/${id}`, { as: user, body: { note: 'x' }, ifMatch: '"7"' })).status,
    ).toBe(412)
    expect(
      (await shop.patch(`/orders/${id}`, { as: user, body: { note: 'x' }, ifMatch: 'W/x' })).status,
    ).toBe(412)
  })

  it('accepts one of 20 concurrent changes to the same version', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        shop.patch(`/orders/${id}`, { as: user, ifMatch: '"1"', body: { note: `writer ${n}` } }),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(19)
  })

  it('rejects a body without changes or with fields that cannot be changed', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    for (const body of [{}, { status: 'shipped' }, { note: 7 }])
      expect((await shop.patch(`/orders/${id}`, { as: user, ifMatch: '*', body })).status).toBe(400)
  })
})

describe('cancel-order', () => {
  it('cancels with a reason and emits order.cancelled once, even if it is called again', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    for (let n = 0; n < 3; n++) {
      const answer = await shop.post(`/orders/${id}/cancellation`, {
        as: user,
        body: { reason: 'changed my mind' },
      })
      expect(answer).toMatchObject({ status: 200, body: { status: 'cancelled', reason: 'changed my mind' } })
    }
    expect((await shop.emitted(id)).map(({ type }) => type)).toEqual(['order.placed', 'order.cancelled'])
  })

  it('refuses to cancel a shipped order', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    await putStatus(shop, id, 'shipped')
    expect((await shop.post(`/orders/${id}/cancellation`, { as: user, body: {} })).status).toBe(409)
  })
})

describe('expire-order', () => {
  const reached = (orderId: string, milestone: 'confirmation' | 'shipment') =>
    shop.react('expire-order', 'order.deadline-reached', { orderId, milestone })
  const read = async (id: string) => (await shop.get(`/orders/${id}`, { as: 'staff' })).body

  it('cancels an order that is not confirmed in time', async () => {
    const { id } = await place(shop, shop.newUser())
    expect(await shop.scheduled(id)).toEqual([
      { type: 'order.deadline-reached', data: { orderId: id, milestone: 'confirmation' }, seconds: 900 },
    ])
    await reached(id, 'confirmation')
    expect(await read(id)).toMatchObject({ status: 'cancelled', reason: 'took too long' })
    expect((await shop.emitted(id)).map(({ type }) => type)).toEqual(['order.placed', 'order.cancelled'])
  })

  it('neither confirms nor completes an order for a payment of another amount or currency', async () => {
    const { id, total } = await place(shop, shop.newUser())
    const paid = (amount: typeof total) => ({ orderId: id, paymentId: uuidv7(), amount })
    for (const wrong of [
      { ...total, amount: 1 },
      { ...total, amount: total.amount + 1 },
      { ...total, currency: 'JPY' },
    ]) {
      await expect(shop.react('confirm-order', 'payment.authorized', paid(wrong))).rejects.toThrow(
        InvalidEvent,
      )
      expect(await read(id)).toMatchObject({ status: 'placed' })
    }
    await putStatus(shop, id, 'shipped')
    const less = paid({ ...total, amount: 1 })
    await expect(shop.react('complete-order', 'payment.captured', less)).rejects.toThrow(InvalidEvent)
    expect(await read(id)).toMatchObject({ status: 'shipped' })
    await shop.react('complete-order', 'payment.captured', paid(total))
    expect(await read(id)).toMatchObject({ status: 'completed' })
  })

  it('confirms all orders that wait together, except those for which another amount was paid', async () => {
    const placed = await Promise.all([1, 2, 3].map(() => place(shop, shop.newUser())))
    const events = placed.map(({ id, total: { amount, currency } }, i) =>
      shop.eventOf(
        'payment.authorized',
        { orderId: id, paymentId: uuidv7(), amount: { amount: amount + (i === 1 ? 1 : 0), currency } },
        { traceparent: `00-0af7651916cd43dd8448eb211c8031${i}c-b7ad6b7169203331-01` },
      ),
    )
    const failures = await shop.handleAll('confirm-order', events)
    expect(failures).toEqual([undefined, expect.any(InvalidEvent), undefined])
    const statuses = await Promise.all(placed.map(async ({ id }) => (await read(id)).status))
    expect(statuses).toEqual(['confirmed', 'placed', 'confirmed'])
    const all = openPostgres(shop.database('events'))
    for (const i of [0, 2])
      expect(
        await all.client`select type, traceparent from events.outbox where subject = ${placed[i]!.id} order by id offset 2`,
      ).toMatchObject([
        { type: 'order.confirmed', traceparent: events[i]!.traceparent },
        { type: 'order.deadline-reached', traceparent: events[i]!.traceparent },
      ])
    await all.close()
  })

  it.each([
    ['the payment', ['payment', 'stock']],
    ['the reservation', ['stock', 'payment']],
  ])(
    'has one entry for the reservation, before that for the payment, if it hears of %s first',
    async (_, both) => {
      const { id, customerId, total } = await place(shop, shop.newUser())
      for (const which of both)
        if (which === 'stock')
          await shop.react('track-order', 'stock.reserved', { orderId: id, customerId, total })
        else
          await shop.react('confirm-order', 'payment.authorized', {
            orderId: id,
            paymentId: uuidv7(),
            amount: total,
          })
      const { body } = await shop.get(`/orders/${id}/timeline`, { as: 'staff' })
      expect(body.items).toMatchObject([
        { type: 'order.placed', status: 'placed' },
        { type: 'stock.reserved', status: 'reserved' },
        { type: 'payment.authorized', status: 'reserved' },
        { type: 'order.confirmed', status: 'confirmed' },
      ])
    },
  )

  it('adds entries for several events of an order that wait together', async () => {
    const { id } = await place(shop, shop.newUser())
    const events = (['stock.released', 'stock.committed'] as const).map((type) =>
      shop.eventOf(type, { orderId: id }),
    )
    expect(await shop.handleAll('track-order', events)).toEqual([undefined, undefined])
    const { body } = await shop.get(`/orders/${id}/timeline`, { as: 'staff' })
    expect(body.items.map(({ type }: { type: string }) => type)).toEqual([
      'order.placed',
      'stock.released',
      'stock.committed',
    ])
  })

  it('cancels a confirmed order that is not shipped within seven days', async () => {
    const { id, total: amount } = await place(shop, shop.newUser())
    const paymentId = uuidv7()
    await shop.react('confirm-order', 'payment.authorized', { orderId: id, paymentId, amount })
    expect((await shop.scheduled(id)).at(-1)).toEqual({
      type: 'order.deadline-reached',
      data: { orderId: id, milestone: 'shipment' },
      seconds: 7 * 24 * 60 * 60,
    })
    await reached(id, 'confirmation')
    expect(await read(id)).toMatchObject({ status: 'confirmed' })
    await reached(id, 'shipment')
    expect(await read(id)).toMatchObject({ status: 'cancelled', reason: 'not shipped in time' })
  })

  it('leaves an order unchanged that has reached its milestone', async () => {
    const { id } = await place(shop, shop.newUser())
    await putStatus(shop, id, 'shipped')
    await reached(id, 'shipment')
    expect(await read(id)).toMatchObject({ status: 'shipped' })
  })
})

describe('the timeline and the events of an order', () => {
  it('say who did it', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    await shop.patch(`/orders/${id}`, { as: user, body: { note: 'ring twice' }, ifMatch: '*' })
    await putStatus(shop, id, 'reserved')
    await shop.react('confirm-order', 'payment.authorized', {
      orderId: id,
      paymentId: uuidv7(),
      amount: { amount: 2500, currency: 'EUR' },
    })
    await shop.post(`/orders/${id}/shipment`, { as: 'staff', body: {} })
    const staff = { role: 'staff', id: shop.users.staff.id }
    await shop.handle('track-order', {
      id: uuidv7(),
      type: 'payment.refunded',
      source: '/payments',
      subject: id,
      time: new Date(),
      actor: `staff:${staff.id}`,
      data: { orderId: id, paymentId: uuidv7(), amount: { amount: 5, currency: 'EUR' } },
    })

    const customer = { role: 'customer', id: user.id }
    const system = { role: 'system' }
    const { body } = await shop.get(`/orders/${id}/timeline`, { as: user })
    expect(body.items.map(({ type, actor }: { type: string; actor: unknown }) => [type, actor])).toEqual([
      ['order.placed', customer],
      ['order.updated', customer],
      ['payment.authorized', system],
      ['order.confirmed', system],
      ['order.shipped', staff],
      ['payment.refunded', staff],
    ])

    const events = openPostgres(shop.database('events'))
    onTestFinished(() => events.close())
    const rows = await events
      .select({ type: outbox.type, actor: outbox.actor })
      .from(outbox)
      .where(eq(outbox.subject, id))
    expect(new Set(rows.map(({ type, actor }) => `${type} ${actor}`))).toEqual(
      new Set([
        `order.placed customer:${user.id}`,
        `order.deadline-reached customer:${user.id}`,
        'order.confirmed system',
        'order.deadline-reached system',
        `order.shipped staff:${staff.id}`,
      ]),
    )
  })

  it('do not say it where it was not recorded', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    await shop.deps('orders').db.update(timeline).set({ actor: null }).where(eq(timeline.orderId, id))
    const { body } = await shop.get(`/orders/${id}/timeline`, { as: user })
    expect(body.items).toMatchObject([{ type: 'order.placed', actor: null }])
  })
})

describe('ship-order', () => {
  it('ships a confirmed order once', async () => {
    const { id } = await place(shop, shop.newUser())
    await putStatus(shop, id, 'confirmed')
    const body = { carrier: 'Bike courier', trackingCode: 'BC-7' }
    for (let n = 0; n < 2; n++)
      expect(await shop.post(`/orders/${id}/shipment`, { as: 'staff', body })).toMatchObject({
        status: 200,
        body: { status: 'shipped' },
      })
    expect((await shop.emitted(id)).map(({ type }) => type)).toEqual(['order.placed', 'order.shipped'])
    const { body: timeline } = await shop.get(`/orders/${id}/timeline`, { as: 'staff' })
    expect(timeline.items.at(-1)).toMatchObject({ type: 'order.shipped', detail: 'Bike courier BC-7' })
  })

  it('accepts a retry after the payment was captured', async () => {
    const { id } = await place(shop, shop.newUser())
    await putStatus(shop, id, 'completed')
    const answer = await shop.post(`/orders/${id}/shipment`, { as: 'staff', body: {} })
    expect(answer).toMatchObject({ status: 200, body: { status: 'completed' } })
  })

  it('rejects an unconfirmed order, a caller who is not staff, and an unknown id', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    expect((await shop.post(`/orders/${id}/shipment`, { as: 'staff', body: {} })).status).toBe(409)
    expect((await shop.post(`/orders/${id}/shipment`, { as: user, body: {} })).status).toBe(403)
    expect((await shop.post(`/orders/${id}/shipment`, { body: {} })).status).toBe(401)
    expect((await shop.post(`/orders/${nowhere}/shipment`, { as: 'staff', body: {} })).status).toBe(404)
    expect((await shop.post('/orders/7/shipment', { as: 'staff', body: {} })).status).toBe(400)
  })
})

describe('watch-order', () => {
  it('streams past and new events, and resumes where the client left off', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    const read = await watch(id, { token: await shop.sign(user) })
    expect(await read()).toMatchObject({ id: '1', event: 'order.placed' })
    await shop.post(`/orders/${id}/cancellation`, { as: user, body: {} })
    expect(await read()).toMatchObject({ id: '2', event: 'order.cancelled' })

    const again = await watch(id, { token: await shop.sign(user), lastEventId: '1' })
    expect(await again()).toMatchObject({ id: '2', event: 'order.cancelled' })
  })

  it('returns 204 if the order has ended and the client has every event', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    await shop.post(`/orders/${id}/cancellation`, { as: user, body: {} })
    const answer = await shop.get(`/orders/${id}/events`, { as: user, headers: { 'last-event-id': '2' } })
    expect(answer.status).toBe(204)
  })

  it('streams to whoever has a ticket for this order', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    const { headers, body } = await shop.post(`/orders/${id}/events/tickets`, { as: user })
    expect(headers.get('location')).toBe(`/api/v1/orders/${id}/events`)
    expect(body).toEqual({ ticket: expect.any(String) as string, expiresIn: 60 })
    for (const inAnyCase of [id, id.toUpperCase()]) {
      const read = await watch(inAnyCase, { ticket: body.ticket })
      expect(await read()).toMatchObject({ id: '1', event: 'order.placed' })
    }
  })

  it('counts the streams of tickets as those of their user', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    const { ticket } = await shop.create(`/orders/${id}/events/tickets`, { as: user })
    for (let n = 0; n < operations['watch-order'].streams; n++) await watch(id, { ticket })
    for (const how of [{ ticket }, { token: await shop.sign(user) }])
      expect((await open(id, how)).status).toBe(429)
  })

  it('takes a ticket for nothing else', async () => {
    const user = shop.newUser()
    const [{ id }, { id: another }] = [await place(shop, user), await place(shop, user)]
    const { ticket } = await shop.create(`/orders/${id}/events/tickets`, { as: user })
    const asToken = { authorization: `Bearer ${ticket}` }
    for (const answer of [
      await shop.get(`/orders/${another}/events?ticket=${ticket}`),
      await shop.get(`/orders/${id}?ticket=${ticket}`),
      await shop.get(`/orders/${id}`, { headers: asToken }),
      await shop.get(`/orders/${id}/events`, { headers: asToken }),
      await shop.get(`/orders/${id}/events?ticket=${ticket}x`),
      await shop.get(`/orders/${id}/events?ticket=`),
      await shop.get(`/orders/${id}/events?ticket=${await shop.sign(user)}`),
    ])
      expect(answer).toMatchObject({
        status: 401,
        body: { type: 'https://zeroshop.dev/problems/not-logged-in' },
      })
  })

  it('issues tickets only to those who may see the order', async () => {
    const { id } = await place(shop, shop.newUser())
    expect((await shop.post(`/orders/${id}/events/tickets`, { as: shop.newUser() })).status).toBe(404)
    expect((await shop.post(`/orders/${id}/events/tickets`)).status).toBe(401)
    expect((await shop.post(`/orders/${id}/events/tickets`, { as: 'staff' })).status).toBe(201)
  })

  it('ends with the session of its caller', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    const stream = (await open(id, { token: await shop.sign(user) })).text()
    const ended = { userId: user.id, sessionIds: [user.session] }
    await shop.react('end-order-sessions', 'session.ended', ended)
    expect(await stream).toContain('event: order.placed')
    await expect
      .poll(() => shop.get(`/orders/${id}/events`, { as: user }).then(({ status }) => status))
      .toBe(401)
  })

  it('ends when the access token expires', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    const expires = Math.floor(Date.now() / 1000) + 2
    const token = await new SignJWT({ role: user.role, sid: user.session, sub: user.id, exp: expires })
      .setProtectedHeader({ alg: 'EdDSA', kid: shop.privateKey.kid! })
      .setIssuer(issuer)
      .setAudience(audience)
      .sign(await importJWK(shop.privateKey, 'EdDSA'))
    const { streams } = operations['watch-order']
    const opened = await Promise.all(Array.from({ length: streams }, () => open(id, { token })))
    for (const stream of opened) expect(await stream.text()).toContain('event: order.placed')
    expect(Date.now() / 1000).toBeGreaterThanOrEqual(expires)
    // none of them counts any more
    const read = await watch(id, { token: await shop.sign(user) })
    expect(await read()).toMatchObject({ id: '1' })
  })

  /** Opens a stream. */
  const open = async (
    id: string,
    { token, ticket, lastEventId }: { token?: string; ticket?: string; lastEventId?: string },
  ) => {
    const query = ticket === undefined ? '' : `?ticket=${ticket}`
    return shop.app.request(`/api/v1/orders/${id}/events${query}`, {
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
    })
  }

  /** Opens a stream and returns a function that reads its next event. */
  async function watch(id: string, how: Parameters<typeof open>[1]) {
    const response = await open(id, how)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    onTestFinished(() => reader.cancel())
    return async () => {
      while (!text.includes('\n\n')) text += (await reader.read()).value ?? ''
      const [event, ...rest] = text.split('\n\n')
      text = rest.join('\n\n')
      return Object.fromEntries(event!.split('\n').map((line) => line.split(': ', 2) as [string, string]))
    }
  }
})

describe('an order of many lines', () => {
  it('is rejected above 100 lines', async () => {
    const lines = Array.from({ length: 101 }, () => ({ sku: 'MUG', quantity: 1 }))
    expect((await shop.post('/orders', { as: 'customer', body: newOrder(lines) })).status).toBe(400)
  })
})
