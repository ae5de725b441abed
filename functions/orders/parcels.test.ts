import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EventData } from '../../events/event.ts'
import { actorOf } from '../shared/auth/actor.ts'
import { knowProducts, newOrder, place, putStatus } from '../../test/orders.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import type { Order } from './order.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['orders'])
  await knowProducts(shop, ['MUG', 1000])
})
afterAll(() => shop.close())

/** Returns an order of three mugs that is confirmed. */
async function confirmed(): Promise<Order> {
  const order = await place(shop, shop.newUser(), newOrder([{ sku: 'MUG', quantity: 3 }]))
  await putStatus(shop, order.id, 'confirmed')
  return order
}

const parcelOf = (order: Order, number: number, quantity: number, last = false) => ({
  orderId: order.id,
  customerId: order.customerId,
  parcelId: uuidv7(),
  number,
  quantity,
  last,
})
type OneParcel = ReturnType<typeof parcelOf>

/** What its mugs cost, without tax. */
const costOf = ({ quantity }: OneParcel) => quantity * 1000
const eur = (amount: number) => ({ amount, currency: 'EUR' })

function shipped(parcel: OneParcel) {
  const { quantity, ...more } = parcel
  const net = costOf(parcel)
  const data = {
    ...more,
    items: [{ sku: 'MUG', quantity, discount: 0, net, taxRate: 0, tax: 0, gross: net }],
    shipping: null,
    amount: eur(net),
    carrier: 'Bike courier',
    trackingNumber: `BC-${parcel.number}`,
  }
  const actor = actorOf(shop.users.staff)
  return shop.handle('track-parcel', shop.eventOf('parcel.shipped', data, { actor }))
}
const captured = (parcel: OneParcel, inAll: number) =>
  shop.react('complete-order', 'payment.captured', {
    orderId: parcel.orderId,
    paymentId: uuidv7(),
    parcelId: parcel.parcelId,
    amount: eur(costOf(parcel)),
    captured: eur(inAll),
  })
const failed = (parcel: OneParcel) =>
  shop.react('abort-order', 'payment.capture-failed', {
    orderId: parcel.orderId,
    paymentId: uuidv7(),
    parcelId: parcel.parcelId,
    reason: 'the issuer refuses the capture',
  })
const statusOf = async ({ id }: Order) => (await shop.get(`/orders/${id}`, { as: 'staff' })).body.status
const entriesOf = async ({ id }: Order) =>
  (await shop.get(`/orders/${id}/timeline`, { as: 'staff' })).body.items.map(
    ({ type, detail }: { type: string; detail: string | null }) =>
      detail === null ? type : `${type}: ${detail}`,
  )
const cancelled = async ({ id }: Order) =>
  (await shop.emitted(id)).find(({ type }) => type === 'order.cancelled')
    ?.data as EventData<'order.cancelled'>
const cancelRest = ({ id, customerId }: Order, as: 'staff' | 'customer' = 'staff') =>
  shop.post(`/orders/${id}/cancellation`, {
    as: as === 'staff' ? as : { ...shop.users.customer, id: customerId },
    body: {},
  })

describe('an order that is shipped in parcels', () => {
  it('is shipped with the first, and completed when all of them are paid', async () => {
    const order = await confirmed()
    const [first, second] = [parcelOf(order, 1, 1), parcelOf(order, 2, 2, true)]
    await shipped(first)
    expect(await statusOf(order)).toBe('shipped')
    await captured(first, 1000)
    expect(await statusOf(order)).toBe('shipped')
    await shipped(second)
    await captured(second, 3000)
    expect(await statusOf(order)).toBe('completed')
    const of = { orderId: order.id, customerId: order.customerId }
    await shop.react('track-parcel', 'parcel.delivered', { ...of, parcelId: first.parcelId, number: 1 })
    const lost = { ...of, parcelId: second.parcelId, number: 2, reason: 'lost' as const }
    await shop.react('track-parcel', 'parcel.failed', lost)
    expect(await entriesOf(order)).toEqual([
      'order.placed',
      'parcel.shipped: parcel 1: Bike courier BC-1',
      'payment.captured: 10.00 EUR',
      'parcel.shipped: parcel 2: Bike courier BC-2',
      'payment.captured: 20.00 EUR',
      'order.completed',
      'parcel.delivered: parcel 1',
      'parcel.failed: parcel 2: lost',
    ])
  })

  it('is completed once, in whatever order that is heard', async () => {
    const order = await confirmed()
    const [first, second] = [parcelOf(order, 1, 1), parcelOf(order, 2, 2, true)]
    await captured(second, 3000)
    expect(await statusOf(order)).toBe('completed')
    await captured(first, 1000)
    await shipped(second)
    await shipped(first)
    expect(await statusOf(order)).toBe('completed')
    const told = (await shop.emitted(order.id)).map(({ type }) => type)
    expect(told.filter((type) => type === 'order.completed')).toHaveLength(1)
    expect(told).not.toContain('order.shipped')
  })

  it('does not expire while its rest waits', async () => {
    const order = await confirmed()
    await shipped(parcelOf(order, 1, 1))
    const deadline = { orderId: order.id, milestone: 'shipment' as const }
    await shop.react('expire-order', 'order.deadline-reached', deadline)
    expect(await statusOf(order)).toBe('shipped')
  })

  it('cannot be shipped as a whole any more', async () => {
    const order = await confirmed()
    await shipped(parcelOf(order, 1, 1))
    expect(await shop.post(`/orders/${order.id}/shipment`, { as: 'staff', body: {} })).toMatchObject({
      status: 409,
      body: { detail: 'Some of the order was shipped in a parcel: ship the rest in parcels, too.' },
    })
  })

  it('is cancelled if a parcel cannot be paid, and its customer keeps those that are', async () => {
    const order = await confirmed()
    const [first, second] = [parcelOf(order, 1, 1), parcelOf(order, 2, 1)]
    await shipped(first)
    await captured(first, 1000)
    await shipped(second)
    await failed(second)
    expect(await statusOf(order)).toBe('cancelled')
    expect(await cancelled(order)).toEqual({
      orderId: order.id,
      reason: 'the issuer refuses the capture',
      kept: [{ parcelId: first.parcelId, items: [{ sku: 'MUG', quantity: 1 }] }],
    })
  })

  it('is cancelled as a whole if its only parcel cannot be paid, even before that is heard to be shipped', async () => {
    const order = await confirmed()
    const only = parcelOf(order, 1, 3, true)
    await failed(only)
    await shipped(only)
    expect(await statusOf(order)).toBe('cancelled')
    expect(await cancelled(order)).not.toHaveProperty('kept')
  })
})

describe('the rest of an order', () => {
  it('is cancelled by staff, and by nobody else, once what was shipped is paid', async () => {
    const order = await confirmed()
    const first = parcelOf(order, 1, 1)
    await shipped(first)
    expect(await cancelRest(order)).toMatchObject({
      status: 409,
      body: { detail: 'The last parcel is being paid: cancel the rest in a moment.' },
    })
    await captured(first, 1000)
    expect((await cancelRest(order, 'customer')).status).toBe(409)
    expect(await cancelRest(order)).toMatchObject({ status: 200, body: { status: 'cancelled' } })
    expect((await cancelled(order)).kept).toMatchObject([{ parcelId: first.parcelId }])
  })

  it('is not there if all was shipped', async () => {
    const order = await confirmed()
    const only = parcelOf(order, 1, 3, true)
    await shipped(only)
    expect((await cancelRest(order)).status).toBe(409)
    const whole = await confirmed()
    await shop.post(`/orders/${whole.id}/shipment`, { as: 'staff', body: {} })
    expect((await cancelRest(whole)).status).toBe(409)
  })
})

it('forgets how parcels can be tracked when an order has ended and its customer is deleted', async () => {
  const order = await confirmed()
  const only = parcelOf(order, 1, 3, true)
  await shipped(only)
  await shop.react('forget-customer', 'user.deleted', { userId: order.customerId })
  expect(await entriesOf(order)).toContain('parcel.shipped: parcel 1: Bike courier BC-1')
  await captured(only, 3000)
  expect(await entriesOf(order)).toContain('parcel.shipped')
})
