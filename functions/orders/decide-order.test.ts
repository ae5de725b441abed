import { eq } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { knowProducts, newOrder, place } from '../../test/orders.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import type { User } from '../shared/auth/access-token.ts'
import type { OnShortage } from '../shared/schemas/on-shortage.ts'
import { orders, type Order } from './order.ts'
import type { Decision } from './shortage.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['orders'])
  await knowProducts(shop, ['MUG', 1000], ['PEN', 100])
})
afterAll(() => shop.close())

/** Places an order of three mugs and a pen. */
const placed = (onShortage: OnShortage, user: User = shop.newUser()) =>
  place(shop, user, {
    ...newOrder([
      { sku: 'MUG', quantity: 3 },
      { sku: 'PEN', quantity: 1 },
    ]),
    onShortage,
  })

/** One mug is there, and no pen. */
const fall = ({ id: orderId }: Order, eventId?: string) =>
  shop.react(
    'settle-shortage',
    'stock.partly-reserved',
    {
      orderId,
      shortages: [
        { sku: 'MUG', requested: 3, available: 1 },
        { sku: 'PEN', requested: 1, available: 0 },
      ],
    },
    eventId,
  )
const missing = [
  { sku: 'MUG', quantity: 2 },
  { sku: 'PEN', quantity: 1 },
]

/** Places an order whose customer is to decide. */
async function undecided() {
  const order = await placed('ask')
  await fall(order)
  return order
}

const owner = ({ customerId }: Order): User => ({ ...shop.users.customer, id: customerId })
const read = async (order: Order) =>
  (await shop.get(`/orders/${order.id}`, { as: owner(order) })).body as Order
const decide = (order: Order, decision: Decision | 'later', as = owner(order)) =>
  shop.post(`/orders/${order.id}/decision`, { as, body: { decision } })
const told = async ({ id }: Order) => (await shop.emitted(id)).map(({ type }) => type)
const eventOf = async ({ id }: Order, type: string) =>
  (await shop.emitted(id)).find((event) => event.type === type)?.data
const entriesOf = async ({ id }: Order) =>
  (await shop.get(`/orders/${id}/timeline`, { as: 'staff' })).body.items.map(
    ({
      type,
      detail,
      status,
      actor,
    }: {
      type: string
      detail: string
      status: string
      actor: { role: string }
    }) => [type, detail, status, actor.role],
  )
const eur = (amount: number) => ({ amount, currency: 'EUR' })
const authorize = ({ id: orderId }: Order, amount: number) =>
  shop.react('confirm-order', 'payment.authorized', { orderId, paymentId: uuidv7(), amount: eur(amount) })
const deadline = ({ id: orderId }: Order) =>
  shop.react('expire-order', 'order.deadline-reached', { orderId, milestone: 'confirmation' })
/** Lets the time pass until which an order may wait. */
async function pass({ id }: Order) {
  const { db } = shop.deps('orders')
  const [row] = await db.select().from(orders).where(eq(orders.id, id))
  const shortage = { ...row!.shortage!, until: new Date(0).toISOString() }
  await db.update(orders).set({ shortage }).where(eq(orders.id, id))
}
const deadlinesOf = async ({ id }: Order) => (await shop.scheduled(id)).map(({ seconds }) => seconds)

describe('an order that takes what is there', () => {
  it('says so when it is placed', async () => {
    const order = await placed('partial')
    expect(order).toMatchObject({ onShortage: 'partial', shortage: null, total: eur(3100) })
    expect(await eventOf(order, 'order.placed')).toMatchObject({ onShortage: 'partial' })
    const usual = await place(shop, shop.newUser())
    expect(usual).toMatchObject({ onShortage: 'cancel' })
    expect(await eventOf(usual, 'order.placed')).not.toHaveProperty('onShortage')
  })

  it('loses what is missing before anything is authorised, and costs less', async () => {
    const order = await placed('partial')
    const { id } = await fall(order)
    await fall(order, id)
    const { orderId: _, ...event } = (await eventOf(order, 'order.reduced')) as { orderId: string }
    expect(event).toMatchObject({
      customerId: order.customerId,
      lines: [{ sku: 'MUG', quantity: 1, unitPrice: 1000, gross: 1000 }],
      total: eur(1000),
      dropped: missing,
    })
    expect(await told(order)).toEqual(['order.placed', 'order.reduced'])
    expect(await read(order)).toMatchObject({
      status: 'reserved',
      lines: [{ sku: 'MUG', quantity: 1 }],
      total: eur(1000),
      amounts: { gross: 1000 },
      shortage: { state: 'dropped', missing, until: null },
    })
    expect(await entriesOf(order)).toEqual([
      ['order.placed', null, 'placed', 'customer'],
      ['stock.partly-reserved', 'missing: 2 × MUG, 1 × PEN', 'placed', 'system'],
      ['order.reduced', 'without 2 × MUG, 1 × PEN', 'reserved', 'system'],
    ])
  })

  it('is confirmed at what it costs then, and at nothing else', async () => {
    const order = await placed('partial')
    await fall(order)
    await expect(authorize(order, 3100)).rejects.toThrow('costs 1000 EUR')
    await authorize(order, 1000)
    expect(await eventOf(order, 'order.confirmed')).toEqual({ orderId: order.id, reducedTo: eur(1000) })
  })

  it('stays cancelled if it was so before', async () => {
    const order = await placed('partial')
    await shop.post(`/orders/${order.id}/cancellation`, { as: owner(order), body: {} })
    await fall(order)
    expect(await told(order)).toEqual(['order.placed', 'order.cancelled'])
    expect(await read(order)).toMatchObject({ status: 'cancelled', total: eur(3100), shortage: null })
  })

  it('counts less against the pieces that may be unpaid', async () => {
    const order = await placed('partial')
    await fall(order)
    const [row] = await shop.deps('orders').db.select().from(orders).where(eq(orders.id, order.id))
    expect(row!.pieces).toBe(1)
  })
})

describe('an order that waits for a decision', () => {
  it('waits for a day, and nothing is authorised meanwhile', async () => {
    const order = await undecided()
    expect(await told(order)).toEqual(['order.placed', 'order.decision-requested'])
    const { status, shortage, total } = await read(order)
    expect({ status, shortage, total }).toMatchObject({
      status: 'placed',
      shortage: { state: 'undecided', missing },
      total: eur(3100),
    })
    const hours = (Date.parse(shortage!.until!) - Date.now()) / 3_600_000
    expect(hours).toBeGreaterThan(23)
    expect(await deadlinesOf(order)).toEqual([expect.closeTo(900, -2), expect.closeTo(86_400, -2)])
    await deadline(order)
    expect(await read(order)).toMatchObject({ status: 'placed' })
  })

  it('is cancelled after the day', async () => {
    const order = await undecided()
    await pass(order)
    await deadline(order)
    expect(await eventOf(order, 'order.cancelled')).toMatchObject({ reason: 'not decided in time' })
    expect(await read(order)).toMatchObject({ status: 'cancelled', shortage: null })
    expect((await decide(order, 'part')).status).toBe(409)
  })

  it('comes without what is missing if its customer wants the part, once', async () => {
    const order = await undecided()
    const first = await decide(order, 'part')
    expect(first).toMatchObject({ status: 200, body: { status: 'reserved', total: eur(1000) } })
    const again = await decide(order, 'part')
    expect(again).toMatchObject({ status: 200, body: first.body })
    for (const other of ['wait', 'cancel'] as const) expect((await decide(order, other)).status).toBe(409)
    expect(await told(order)).toEqual(['order.placed', 'order.decision-requested', 'order.reduced'])
    expect((await entriesOf(order)).slice(2)).toEqual([
      ['order.decision-requested', 'missing: 2 × MUG, 1 × PEN', 'placed', 'system'],
      ['order.reduced', 'without 2 × MUG, 1 × PEN', 'reserved', 'customer'],
    ])
    // the first deadline comes too early for it
    await deadline(order)
    expect(await read(order)).toMatchObject({ status: 'reserved' })
    await pass(order)
    await deadline(order)
    expect(await read(order)).toMatchObject({ status: 'cancelled', reason: 'took too long' })
  })

  it('waits for the rest if its customer wants it, then for the payment as long as any', async () => {
    const order = await undecided()
    expect((await decide(order, 'wait')).body).toMatchObject({
      status: 'placed',
      shortage: { state: 'backordered', missing },
    })
    expect((await decide(order, 'wait')).status).toBe(200)
    expect(await eventOf(order, 'order.backordered')).toEqual({
      orderId: order.id,
      customerId: order.customerId,
      missing,
      total: eur(3100),
    })
    expect((await decide(order, 'part')).status).toBe(409)
    await deadline(order)
    const { id: orderId, customerId, total } = order
    await shop.react('track-order', 'stock.reserved', { orderId, customerId, total })
    expect(await read(order)).toMatchObject({ status: 'reserved', shortage: null })
    expect(await deadlinesOf(order)).toEqual([
      expect.closeTo(900, -2),
      expect.closeTo(900, -2),
      expect.closeTo(86_400, -2),
      expect.closeTo(30 * 86_400, -2),
    ])
    await authorize(order, 3100)
    expect(await eventOf(order, 'order.confirmed')).toEqual({ orderId })
  })

  it('is confirmed even if it is heard first that the payment is authorised', async () => {
    const order = await undecided()
    await decide(order, 'wait')
    await authorize(order, 3100)
    const { id: orderId, customerId, total } = order
    await shop.react('track-order', 'stock.reserved', { orderId, customerId, total })
    expect(await read(order)).toMatchObject({ status: 'confirmed', shortage: null })
    expect((await entriesOf(order)).map(([type]: string[]) => type).slice(3)).toEqual([
      'order.backordered',
      'stock.reserved',
      'payment.authorized',
      'order.confirmed',
    ])
  })

  it('is cancelled if the rest does not come', async () => {
    const order = await undecided()
    await decide(order, 'wait')
    await pass(order)
    await deadline(order)
    expect(await eventOf(order, 'order.cancelled')).toMatchObject({ reason: 'not enough stock in time' })
  })

  it('is cancelled if its customer decides so', async () => {
    const order = await undecided()
    const first = await decide(order, 'cancel')
    expect(first.body).toMatchObject({ status: 'cancelled', reason: 'cancelled by the customer' })
    expect((await decide(order, 'cancel')).body).toEqual(first.body)
    expect(await eventOf(order, 'order.cancelled')).toMatchObject({ reason: 'cancelled on request' })
  })

  it('is decided once, by whichever of many requests comes first', async () => {
    const order = await undecided()
    const all = await Promise.all(
      (['part', 'wait', 'cancel', 'part', 'wait', 'cancel'] as const).map((decision) =>
        decide(order, decision),
      ),
    )
    expect(all.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 409, 409, 409, 409])
    expect((await told(order)).slice(2)).toHaveLength(1)
  })

  it('is seen by its customer and staff alone, who may decide for them', async () => {
    const order = await undecided()
    expect((await decide(order, 'part', shop.newUser())).status).toBe(404)
    expect((await decide(order, 'part', shop.newUser('seller'))).status).toBe(404)
    expect((await decide(order, 'later')).status).toBe(400)
    expect((await decide(order, 'part', shop.users.staff)).status).toBe(200)
  })

  it('is cancelled with the account of its customer', async () => {
    const order = await undecided()
    await shop.react('forget-customer', 'user.deleted', { userId: order.customerId })
    expect(await told(order)).toContain('order.cancelled')
  })
})

it('has nothing to decide of an order of which all is there, or that takes what is there', async () => {
  const order = await placed('ask')
  expect((await decide(order, 'part')).body).toMatchObject({
    type: expect.stringMatching(/nothing-to-decide$/),
    detail: 'The order is placed, and waits for no decision.',
  })
  const other = await placed('partial')
  await fall(other)
  expect((await decide(other, 'part')).status).toBe(409)
})
