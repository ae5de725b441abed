import { uuidv7 } from 'uuidv7'
import type { EventData } from '../../events/event.ts'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectInvalid, expectOwnProblem } from '../../test/problems.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { dispatch, placed, queue } from './fixtures.ts'
import { parcels, shipments, type Parcel, type Shipment } from './shipment.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['shipments'])
})
afterAll(() => shop.close())

const read = async (id: string, as: 'customer' | 'staff' = 'staff'): Promise<Shipment> =>
  (await shop.get(`/shipments/${id}`, { as })).body
const take = (id: string, as: 'staff' | 'admin' = 'staff') => shop.post(`/shipments/${id}/taking`, { as })
const tryToPack = (id: string, items: object[], as: 'staff' | 'admin' = 'staff') =>
  shop.post(`/shipments/${id}/parcels`, { as, body: { items } })
const pack = async (id: string, ...items: [sku: string, quantity: number][]): Promise<Parcel> => {
  await take(id)
  const answer = await tryToPack(
    id,
    items.map(([sku, quantity]) => ({ sku, quantity })),
  )
  expect(answer.status).toBe(201)
  return answer.body
}
const at = (id: string, parcel: Parcel) => `/shipments/${id}/parcels/${parcel.id}`
const ship = (id: string, parcel: Parcel, body: object = dispatch) =>
  shop.post(`${at(id, parcel)}/shipment`, { as: 'staff', body })
const told = async (id: string, type: string) =>
  (await shop.emitted(id)).filter((event) => event.type === type).map(({ data }) => data)

describe('the queue', () => {
  it('has an order once it is confirmed, and lists those first that were placed first', async () => {
    const order = placed(shop.users.customer.id)
    await shop.react('queue-shipment', 'order.placed', order)
    const waiting = async (): Promise<string[]> =>
      (await shop.get('/shipments?status=waiting&limit=100', { as: 'staff' })).body.items.map(
        ({ id }: Shipment) => id,
      )
    expect(await waiting()).not.toContain(order.orderId)
    await shop.react('queue-shipment', 'order.confirmed', { orderId: order.orderId })
    const later = await queue(shop)
    const ids = await waiting()
    expect(ids.indexOf(order.orderId)).toBeGreaterThanOrEqual(0)
    expect(ids.indexOf(later)).toBeGreaterThan(ids.indexOf(order.orderId))
    expect(await read(later)).toMatchObject({
      status: 'waiting',
      customerId: shop.users.customer.id,
      lines: [
        { sku: 'MUG', quantity: 3, packed: 0, shipped: 0 },
        { sku: 'SAW', quantity: 1, packed: 0, shipped: 0 },
      ],
      parcels: [],
      takenBy: null,
    })
  })

  it('has an order that is heard to be confirmed before it is heard to be placed', async () => {
    const order = placed(shop.users.customer.id)
    await shop.react('queue-shipment', 'order.confirmed', { orderId: order.orderId })
    expect((await shop.get(`/shipments/${order.orderId}`, { as: 'staff' })).status).toBe(404)
    await shop.react('queue-shipment', 'order.placed', order)
    expect(await read(order.orderId)).toMatchObject({ status: 'waiting', currency: 'EUR' })
  })

  it('has what is left of an order of which something was left out, in whatever order that is heard', async () => {
    const order = placed(shop.users.customer.id)
    const { orderId } = order
    const left = placed(shop.users.customer.id, {
      orderId,
      lines: [{ sku: 'MUG', quantity: 2, gross: 1_333 }],
    })
    const reduced = { ...left, dropped: [{ sku: 'SAW', quantity: 1 }] } as EventData<'order.reduced'>
    const confirmed = shop.eventOf('order.confirmed', { orderId, reducedTo: left.total })
    // what it was before must not be packed
    await expect(shop.handle('queue-shipment', confirmed)).rejects.toThrow('left out')
    await shop.react('queue-shipment', 'order.reduced', reduced)
    await shop.react('queue-shipment', 'order.placed', order)
    await shop.handle('queue-shipment', confirmed)
    const lines = [{ sku: 'MUG', quantity: 2 }]
    expect(await read(orderId)).toMatchObject({ status: 'waiting', lines })
    const other = placed(shop.users.customer.id)
    const told = (dropped: object) => ({ ...dropped, orderId: other.orderId })
    await shop.react('queue-shipment', 'order.placed', other)
    await expect(
      shop.react('queue-shipment', 'order.confirmed', { orderId: other.orderId, reducedTo: left.total }),
    ).rejects.toThrow('left out')
    await shop.react('queue-shipment', 'order.reduced', told(reduced) as EventData<'order.reduced'>)
    await shop.react('queue-shipment', 'order.confirmed', { orderId: other.orderId, reducedTo: left.total })
    expect(await read(other.orderId)).toMatchObject({ status: 'waiting', lines })
  })

  it('loses an order that is cancelled or shipped as a whole, and what is packed is unpacked', async () => {
    for (const [type, status] of [
      ['order.cancelled', 'cancelled'],
      ['order.shipped', 'shipped'],
    ] as const) {
      const orderId = await queue(shop)
      await pack(orderId, ['MUG', 1])
      const data = type === 'order.cancelled' ? { orderId, reason: 'cancelled on request' } : { orderId }
      await shop.react('queue-shipment', type, data)
      expect(await read(orderId)).toMatchObject({ status, parcels: [], takenBy: null })
      expect((await take(orderId)).status).toBe(409)
    }
  })

  it('never has an order that was cancelled before it is heard to be placed', async () => {
    const order = placed(shop.users.customer.id)
    await shop.react('queue-shipment', 'order.cancelled', { orderId: order.orderId, reason: 'took too long' })
    await shop.react('queue-shipment', 'order.placed', order)
    await shop.react('queue-shipment', 'order.confirmed', { orderId: order.orderId })
    expect(await read(order.orderId)).toMatchObject({ status: 'cancelled' })
  })

  it('is for staff and admins only', async () => {
    const id = await queue(shop)
    const parcel = await pack(id, ['MUG', 1])
    for (const as of ['customer', 'seller'] as const) {
      expect((await shop.get('/shipments', { as })).status).toBe(403)
      for (const path of [`/shipments/${id}/taking`, `${at(id, parcel)}/delivery`])
        expect((await shop.post(path, { as })).status).toBe(403)
    }
  })
})

describe('a shipment', () => {
  it('is shown to its customer, who does not see who packs it, and to nobody else', async () => {
    const id = await queue(shop)
    await take(id)
    expect(await read(id)).toMatchObject({ status: 'taken', takenBy: shop.users.staff.id })
    expect(await read(id, 'customer')).toMatchObject({ status: 'taken', takenBy: null })
    const other = { ...shop.users.customer, id: uuidv7() }
    expect((await shop.get(`/shipments/${id}`, { as: other })).status).toBe(404)
  })

  it('is taken by one worker at a time, for half an hour', async () => {
    const id = await queue(shop)
    const taken = await take(id)
    const until = Date.parse(taken.body.takenUntil)
    expect(Math.abs(until - Date.now() - 30 * 60_000)).toBeLessThan(10_000)
    expectOwnProblem(
      await take(id, 'admin'),
      'shipment-taken',
      [409, 'Somebody else packs this shipment'],
      `Somebody else packs it until ${taken.body.takenUntil}, if they do not leave it before.`,
    )
    expect((await tryToPack(id, [{ sku: 'MUG', quantity: 1 }], 'admin')).status).toBe(409)
    expect((await shop.delete(`/shipments/${id}/taking`, { as: 'admin' })).status).toBe(204)
    expect(await read(id)).toMatchObject({ takenBy: shop.users.staff.id })
    expect((await shop.delete(`/shipments/${id}/taking`, { as: 'staff' })).status).toBe(204)
    expect((await take(id, 'admin')).status).toBe(200)
  })

  it('is taken by one of many who try at the same moment', async () => {
    const id = await queue(shop)
    const workers = Array.from({ length: 8 }, () => ({ ...shop.users.staff, id: uuidv7() }))
    const answers = await Promise.all(workers.map((as) => shop.post(`/shipments/${id}/taking`, { as })))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(7)
  })

  it('waits again when the time is up, unless it was taken again', async () => {
    const orderId = await queue(shop)
    await take(orderId)
    await shop.react('expire-taking', 'shipment.deadline-reached', { orderId })
    expect(await read(orderId)).toMatchObject({ status: 'taken' })
    const { db } = shop.deps('shipments')
    await db
      .update(shipments)
      .set({ takenUntil: new Date(0) })
      .where(eq(shipments.id, orderId))
    // also before the event says so
    expect(await read(orderId)).toMatchObject({ status: 'waiting', takenBy: null })
    expect((await tryToPack(orderId, [{ sku: 'MUG', quantity: 1 }])).status).toBe(409)
    await shop.react('expire-taking', 'shipment.deadline-reached', { orderId })
    const [row] = await db.select().from(shipments).where(eq(shipments.id, orderId))
    expect(row).toMatchObject({ status: 'waiting', workerId: null })
    expect((await take(orderId, 'admin')).status).toBe(200)
  })

  it('has an ETag that changes with it', async () => {
    const id = await queue(shop)
    const first = (await shop.get(`/shipments/${id}`, { as: 'staff' })).headers.get('etag')
    await pack(id, ['MUG', 1])
    const second = await shop.get(`/shipments/${id}`, { as: 'staff', headers: { 'if-none-match': first! } })
    expect(second.status).toBe(200)
  })
})

describe('packing', () => {
  it('takes what is left, until nothing is', async () => {
    const id = await queue(shop)
    await pack(id, ['MUG', 2])
    expectOwnProblem(
      await tryToPack(id, [
        { sku: 'saw', quantity: 1 },
        { sku: 'mug', quantity: 2 },
      ]),
      'not-left-to-pack',
      [409, 'There is not so much left to pack'],
      'Left to pack of MUG in this order: 1.',
      [{ pointer: '/body/items/1/quantity', detail: 'at most 1' }],
    )
    await pack(id, ['MUG', 1], ['SAW', 1])
    expect(await read(id)).toMatchObject({
      status: 'packed',
      takenBy: null,
      lines: [{ packed: 3 }, { packed: 1 }],
    })
    expect((await take(id)).status).toBe(409)
  })

  it('packs once, however often a request is repeated', async () => {
    const id = await queue(shop)
    await take(id)
    const send = { as: 'staff', key: uuidv7(), body: { items: [{ sku: 'MUG', quantity: 2 }] } } as const
    const answers = await Promise.all([1, 2, 3].map(() => shop.post(`/shipments/${id}/parcels`, send)))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect((await read(id)).parcels).toHaveLength(1)
  })

  it('never packs more than was ordered, however many pack at the same moment', async () => {
    const id = await queue(shop)
    await take(id)
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => tryToPack(id, [{ sku: 'MUG', quantity: 1 }])),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3)
    expect((await read(id)).lines[0]).toMatchObject({ quantity: 3, packed: 3 })
  })

  it('is undone as long as the parcel is not shipped', async () => {
    const id = await queue(shop)
    const parcel = await pack(id, ['MUG', 3], ['SAW', 1])
    for (let i = 0; i < 2; i++) expect((await shop.delete(at(id, parcel), { as: 'staff' })).status).toBe(204)
    expect(await read(id)).toMatchObject({ status: 'waiting', parcels: [], lines: [{ packed: 0 }, {}] })
    const again = await pack(id, ['MUG', 1])
    await ship(id, again)
    expect((await shop.delete(at(id, again), { as: 'staff' })).status).toBe(409)
  })
})

describe('a parcel', () => {
  it('is shipped with what is paid for it: the parcels of an order add up to its total', async () => {
    const order = placed(shop.users.customer.id)
    const id = await queue(shop, { orderId: order.orderId })
    const [first, second] = [await pack(id, ['MUG', 1]), await pack(id, ['MUG', 2], ['SAW', 1])]
    // they are numbered as they are shipped
    const shipped = [await ship(id, second), await ship(id, first)]
    expect(shipped.map(({ status }) => status)).toEqual([200, 200])
    const events = (await told(id, 'parcel.shipped')) as EventData<'parcel.shipped'>[]
    expect(events).toMatchObject([
      {
        orderId: id,
        customerId: shop.users.customer.id,
        parcelId: second.id,
        number: 1,
        items: [
          { sku: 'MUG', quantity: 2, discount: 0, taxRate: 1900 },
          { sku: 'SAW', quantity: 1, gross: 3_999 },
        ],
        shipping: { gross: 490 },
        last: false,
        carrier: 'Bike courier',
        trackingNumber: 'BC-4711',
      },
      { parcelId: first.id, number: 2, items: [{ sku: 'MUG', quantity: 1 }], shipping: null, last: true },
    ])
    expect(events.map(({ amount }) => amount.amount).reduce((a, b) => a + b)).toBe(order.total.amount)
    expect(events.flatMap(({ items }) => items).reduce((sum, { tax }) => sum + tax, 0)).toBe(
      order.lines.reduce((sum, { tax }) => sum + tax!, 0),
    )
    expect(await read(id, 'customer')).toMatchObject({
      status: 'shipped',
      parcels: [
        { id: first.id, number: 2, status: 'shipped', last: true, trackingNumber: 'BC-4711' },
        { id: second.id, number: 1, amount: events[0]!.amount.amount },
      ],
    })
  })

  it('is shipped once: a repeated request gets the same answer, another carrier is refused', async () => {
    const id = await queue(shop)
    const parcel = await pack(id, ['MUG', 1])
    const answers = await Promise.all([1, 2, 3].map(() => ship(id, parcel)))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(await told(id, 'parcel.shipped')).toHaveLength(1)
    expect((await ship(id, parcel, { ...dispatch, carrier: 'Post' })).status).toBe(409)
  })

  it('is not shipped once its order is cancelled', async () => {
    const orderId = await queue(shop)
    const parcel = await pack(orderId, ['MUG', 1])
    await shop.react('queue-shipment', 'order.cancelled', { orderId, reason: 'cancelled on request' })
    expect((await ship(orderId, parcel)).status).toBe(409)
    expect(await told(orderId, 'parcel.shipped')).toEqual([])
  })

  it('is delivered or fails once, which is told', async () => {
    const id = await queue(shop)
    const [first, second] = [await pack(id, ['MUG', 1]), await pack(id, ['MUG', 1])]
    expect((await shop.post(`${at(id, first)}/delivery`, { as: 'staff' })).status).toBe(409)
    await ship(id, first)
    await ship(id, second, { ...dispatch, trackingNumber: 'BC-4712' })
    for (let i = 0; i < 2; i++) {
      expect((await shop.post(`${at(id, first)}/delivery`, { as: 'staff' })).body.status).toBe('delivered')
      const body = { reason: 'refused' }
      expect((await shop.post(`${at(id, second)}/failure`, { as: 'admin', body })).body).toMatchObject({
        status: 'failed',
        failure: 'refused',
      })
    }
    const common = { orderId: id, customerId: shop.users.customer.id }
    expect(await told(id, 'parcel.delivered')).toEqual([{ ...common, parcelId: first.id, number: 1 }])
    expect(await told(id, 'parcel.failed')).toEqual([
      { ...common, parcelId: second.id, number: 2, reason: 'refused' },
    ])
  })

  it('is recalled if its order is cancelled, unless the customer keeps it', async () => {
    const orderId = await queue(shop)
    const [kept, other] = [await pack(orderId, ['MUG', 1]), await pack(orderId, ['MUG', 1])]
    await ship(orderId, kept)
    await ship(orderId, other)
    await shop.react('queue-shipment', 'order.cancelled', {
      orderId,
      reason: 'the issuer refuses the capture',
      kept: [{ parcelId: kept.id, items: [{ sku: 'MUG', quantity: 1 }] }],
    })
    expect((await read(orderId)).parcels).toMatchObject([{ status: 'shipped' }, { status: 'recalled' }])
  })

  it('has a carrier and a tracking number, which are codes and no sentences', async () => {
    const id = await queue(shop)
    const parcel = await pack(id, ['MUG', 1])
    expectInvalid(await ship(id, parcel, { ...dispatch, trackingNumber: 'for Ada, 2nd floor' }), {
      pointer: '/body/trackingNumber',
      detail: '4 to 40 letters, digits and dashes',
    })
  })
})

describe('a deleted customer', () => {
  it('can no longer be found by a tracking number once the parcel has arrived', async () => {
    const customer = uuidv7()
    const id = await queue(shop, {}, customer)
    const [first, second] = [await pack(id, ['MUG', 1]), await pack(id, ['MUG', 1])]
    await ship(id, first)
    await ship(id, second)
    await shop.post(`${at(id, first)}/delivery`, { as: 'staff' })
    await shop.react('forget-addressee', 'user.deleted', { userId: customer })
    const numbers = async () => (await read(id)).parcels.map(({ trackingNumber }) => trackingNumber)
    expect(await numbers()).toEqual([null, 'BC-4711'])
    await shop.post(`${at(id, second)}/failure`, { as: 'staff', body: { reason: 'lost' } })
    expect(await numbers()).toEqual([null, null])
  })
})

describe('a customer who has claimed their record', () => {
  it('has the shipments of the record, also those that are heard of later', async () => {
    const [record, userId] = [uuidv7(), shop.users.seller.id]
    const before = await queue(shop, {}, record)
    await shop.react('move-shipments', 'customer.claimed', { customerId: record, userId })
    const after = await queue(shop, {}, record)
    for (const id of [before, after])
      expect((await shop.get(`/shipments/${id}`, { as: 'seller' })).body.customerId).toBe(userId)
  })
})

it('keeps nothing of an order whose amounts are not known: it is shipped as a whole', async () => {
  const { lines, shipping: _, ...order } = placed(shop.users.customer.id)
  const old = { ...order, lines: lines.map(({ sku, quantity }) => ({ sku, quantity })) }
  await shop.react('queue-shipment', 'order.placed', old)
  await shop.react('queue-shipment', 'order.confirmed', { orderId: order.orderId })
  expect((await shop.get(`/shipments/${order.orderId}`, { as: 'staff' })).status).toBe(404)
  const { db } = shop.deps('shipments')
  expect(await db.select().from(parcels).where(eq(parcels.shipmentId, order.orderId))).toEqual([])
})
