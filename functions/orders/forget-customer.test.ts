import { and, eq } from 'drizzle-orm'
import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tablesWith } from '../../test/contents.ts'
import { address, knowProducts, newOrder, place, putStatus } from '../../test/orders.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import type { User } from '../shared/auth/access-token.ts'
import { orders, type OrderStatus } from './order.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['orders'])
  await knowProducts(shop, ['MUG', 1250])
})
afterAll(() => shop.close())

const forget = (userId: string, id?: string) => shop.react('forget-customer', 'user.deleted', { userId }, id)
const read = async (id: string) => (await shop.get(`/orders/${id}`, { as: 'staff' })).body
const orderIn = async (user: User, status: OrderStatus, body: unknown = newOrder()) => {
  const order = await place(shop, user, body)
  await putStatus(shop, order.id, status)
  return order
}

it('cancels what a deleted customer has not paid, and leaves the rest as it is', async () => {
  const [gone, other] = [shop.newUser(), shop.newUser()]
  const open = [await orderIn(gone, 'placed'), await orderIn(gone, 'reserved')]
  const stay = ['confirmed', 'shipped', 'completed', 'cancelled'] as const
  const stayed = await Promise.all(stay.map((status) => orderIn(gone, status)))
  const theirs = await place(shop, other)
  await forget(gone.id)
  for (const { id } of open) {
    expect(await read(id)).toMatchObject({ status: 'cancelled', reason: 'the account was deleted' })
    expect((await shop.emitted(id)).map(({ type }) => type)).toEqual(['order.placed', 'order.cancelled'])
  }
  for (const [i, { id }] of stayed.entries()) expect(await read(id)).toMatchObject({ status: stay[i] })
  expect(await read(theirs.id)).toMatchObject({ status: 'placed', deliveryAddress: address })
})

it('does the same for a customer without an account', async () => {
  const [gone, note] = [shop.newUser(), randomUUID()]
  const open = await orderIn(gone, 'placed')
  const done = await orderIn(gone, 'completed', { ...newOrder(), note })
  await shop.react('forget-customer', 'customer.deleted', { customerId: gone.id })
  expect(await read(open.id)).toMatchObject({ status: 'cancelled', reason: 'the customer was deleted' })
  expect(await read(done.id)).toMatchObject({ status: 'completed', deliveryAddress: null })
  expect(await tablesWith(shop.admin, note)).toEqual([])
})

it('does nothing for a user who has no orders, or when it is delivered again', async () => {
  const user = shop.newUser()
  const { id } = await place(shop, user)
  for (const userId of [uuidv7(), user.id]) await forget(userId)
  const once = await read(id)
  await forget(user.id)
  expect(await read(id)).toEqual(once)
  expect((await shop.emitted(id)).map(({ type }) => type)).toEqual(['order.placed', 'order.cancelled'])
})

describe('what a deleted customer wrote', () => {
  /** Returns the body of an order with a text that can be found again. */
  const marked = (canary: string) => ({
    ...newOrder(),
    deliveryAddress: { ...address, name: `Ada ${canary}`, street: `${canary} Street` },
    note: `ring for ${canary}`,
  })
  const tables = (canary: string) => tablesWith(shop.admin, canary)
  const forgotten = { deliveryAddress: null, note: null }

  /** Every way in which an order that is under way can end. */
  const endings: [from: OrderStatus, how: string, to: OrderStatus, end: (id: string) => Promise<unknown>][] =
    [
      [
        'shipped',
        'its payment is captured',
        'completed',
        async (id) => {
          const { total: amount } = await read(id)
          await shop.react('complete-order', 'payment.captured', { orderId: id, paymentId: uuidv7(), amount })
        },
      ],
      [
        'shipped',
        'its payment cannot be captured',
        'cancelled',
        (orderId) =>
          shop.react('abort-order', 'payment.capture-failed', {
            orderId,
            paymentId: uuidv7(),
            reason: 'expired',
          }),
      ],
      [
        'confirmed',
        'staff cancel it',
        'cancelled',
        (id) => shop.post(`/orders/${id}/cancellation`, { as: 'staff', body: {} }),
      ],
      [
        'confirmed',
        'it is not shipped in time',
        'cancelled',
        (orderId) => shop.react('expire-order', 'order.deadline-reached', { orderId, milestone: 'shipment' }),
      ],
    ]

  it.each(endings)('stays with an order that is %s until %s', async (from, _, to, end) => {
    const [gone, canary] = [shop.newUser(), randomUUID()]
    const { id } = await orderIn(gone, from, marked(canary))
    await forget(gone.id)
    expect(await read(id)).toMatchObject({
      deliveryAddress: { name: `Ada ${canary}` },
      note: `ring for ${canary}`,
    })
    expect(await tables(canary)).toEqual(['orders.orders'])
    await end(id)
    expect(await read(id)).toMatchObject({
      status: to,
      ...forgotten,
      total: { amount: 2500, currency: 'EUR' },
    })
    expect(await tables(canary)).toEqual([])
  })

  it.each(['completed', 'cancelled'] as const)('goes at once from an order that is %s', async (status) => {
    const [gone, canary] = [shop.newUser(), randomUUID()]
    const { id, lines } = await orderIn(gone, status, marked(canary))
    await forget(gone.id)
    expect(await tables(canary)).toEqual([])
    expect(await read(id)).toMatchObject({ status, ...forgotten, lines, customerId: gone.id })
  })

  it('goes from the reason of a cancellation, and from what staff wrote about it', async () => {
    const [gone, canary] = [shop.newUser(), randomUUID()]
    const [cancelled, shipped] = [await place(shop, gone), await orderIn(gone, 'confirmed')]
    const reason = `I am ${canary}`
    await shop.post(`/orders/${cancelled.id}/cancellation`, { as: gone, body: { reason } })
    await shop.post(`/orders/${shipped.id}/shipment`, { as: 'staff', body: { trackingCode: canary } })
    // an event cannot be anonymised
    expect(await tables(canary)).toEqual(['orders.orders', 'orders.timeline'])
    expect(await read(cancelled.id)).toMatchObject({ reason })
    await putStatus(shop, shipped.id, 'completed')
    await forget(gone.id)
    expect(await tables(canary)).toEqual([])
    expect(await read(cancelled.id)).toMatchObject({ reason: null })
  })

  it('cannot be written again, and a client does not keep what it has read', async () => {
    const gone = shop.newUser()
    const { id } = await orderIn(gone, 'completed')
    const before = (await shop.get(`/orders/${id}`, { as: 'staff' })).headers.get('etag')!
    await forget(gone.id)
    const headers = { 'if-none-match': before }
    expect(await shop.get(`/orders/${id}`, { as: 'staff', headers })).toMatchObject({ status: 200 })
    const change = { as: 'staff', ifMatch: '*', body: { deliveryAddress: address } } as const
    expect(await shop.patch(`/orders/${id}`, change)).toMatchObject({
      status: 409,
      body: { detail: 'The order is completed: it can no longer be changed.' },
    })
    expect((await shop.get(`/orders?customerId=${gone.id}`, { as: 'staff' })).body.items).toMatchObject([
      { id, ...forgotten },
    ])
  })

  it('goes from an order that ends while its customer is deleted', async () => {
    const users = Array.from({ length: 20 }, () => shop.newUser())
    await Promise.all(
      users.map(async (user) => {
        const { id } = await orderIn(user, 'confirmed')
        const end = shop.react('expire-order', 'order.deadline-reached', {
          orderId: id,
          milestone: 'shipment',
        })
        await Promise.all([end, forget(user.id)])
      }),
    )
    const { db } = shop.deps('orders')
    for (const { id } of users) {
      const rows = await db
        .select()
        .from(orders)
        .where(and(eq(orders.customerId, id)))
      expect(rows).toMatchObject([{ status: 'cancelled', ...forgotten }])
    }
  })
})
