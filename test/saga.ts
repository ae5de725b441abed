import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { checkOut, readCart } from '../demo/client/carts.ts'
import { good } from '../demo/client/good.ts'
import type { Person } from '../demo/client/shop.ts'
import { cancelOrder, paymentOf, placeOrder, readOrder, shipOrder } from '../demo/client/orders.ts'
import { readStock } from '../demo/client/stock.ts'
import { readTimeline, waitForEntries } from '../demo/client/timeline.ts'
import type { TestClient } from './client.ts'

/**
 * Tests the order saga over real HTTP and JetStream, with a test for each of its endings. The same tests run
 * against a shop on this machine, in containers and in a cluster. No one else may order at the same time,
 * because the tests count the stock.
 * @param open opens the shop; called when the tests begin
 */
export function describeSaga(open: () => TestClient): void {
  let shop: TestClient
  let customer: Person
  let staff: Person
  const mug = [{ sku: 'MUG-BLUE', quantity: 1 }]

  beforeAll(async () => {
    shop = open()
    ;[customer, staff] = await Promise.all([shop.register(), shop.staff()])
  })

  const order = (id: string) => readOrder(customer, id)
  const payment = (id: string) => paymentOf(customer, id)
  const stock = () => readStock(shop, 'MUG-BLUE')

  describe('an order that succeeds', () => {
    it('is confirmed, shipped, paid and completed, and its stock is sold', async () => {
      const before = await stock()
      const { id } = await placeOrder(customer, mug, 'card_approved')
      await waitForEntries(customer, id, 'order.confirmed')
      expect(await payment(id)).toMatchObject({ status: 'authorized', captured: 0 })
      await shipOrder(staff, id, { carrier: 'Bike courier' })
      expect(await waitForEntries(customer, id, 'stock.committed')).toEqual([
        'order.placed',
        'stock.reserved',
        'payment.authorized',
        'order.confirmed',
        'order.shipped',
        'payment.captured',
        'order.completed',
        'stock.committed',
      ])
      expect(await readTimeline(customer, id)).toMatchObject([
        { type: 'order.placed', status: 'placed', actor: { role: 'customer', id: customer.user.id } },
        { type: 'stock.reserved', status: 'reserved', actor: { role: 'system' } },
        { type: 'payment.authorized', status: 'reserved' },
        { type: 'order.confirmed', status: 'confirmed' },
        { type: 'order.shipped', status: 'shipped', actor: { role: 'staff', id: staff.user.id } },
        { type: 'payment.captured', status: 'shipped' },
        { type: 'order.completed', status: 'completed' },
        { type: 'stock.committed', status: 'completed' },
      ])
      expect(await order(id)).toMatchObject({ status: 'completed' })
      expect(await payment(id)).toMatchObject({ status: 'captured', captured: 1290 })
      expect(await stock()).toMatchObject({
        available: before.available - 1,
        reserved: before.reserved,
        sold: before.sold + 1,
      })
    })

    it('is confirmed with a slow card', async () => {
      const { id } = await placeOrder(customer, mug, 'card_slow')
      await waitForEntries(customer, id, 'order.confirmed')
    })

    it('is confirmed if the provider fails at the first attempt', async () => {
      const { id } = await placeOrder(customer, mug, 'card_flaky')
      await waitForEntries(customer, id, 'order.confirmed')
    })

    it('is confirmed if the provider authorises the payment and does not respond', async () => {
      const { id } = await placeOrder(customer, mug, 'card_timeout')
      await waitForEntries(customer, id, 'order.confirmed')
    })
  })

  describe('an order from a cart', () => {
    it('is made of what the customer had as a guest, and confirmed; the cart is empty then', async () => {
      const path = { sku: 'MUG-BLUE' }
      const put = await shop.PUT('/carts/current/items/{sku}', { params: { path }, body: { quantity: 2 } })
      const guest = { 'Cart-Token': put.response.headers.get('cart-token')! }
      const shopper = await shop.register()
      const merged = await good(shopper.GET('/carts/current', { params: { header: guest } }))
      expect(merged).toMatchObject({ pieces: 2, lines: [{ sku: 'MUG-BLUE', quantity: 2, notice: null }] })
      const { id, total } = await checkOut(shopper)
      expect(total).toEqual(merged.subtotal)
      expect(await readCart(shopper)).toMatchObject({ lines: [], subtotal: null })
      await waitForEntries(shopper, id, 'order.confirmed')
      await cancelOrder(shopper, id)
      await waitForEntries(shopper, id, 'stock.released')
    })
  })

  describe('an order that cannot be fulfilled', () => {
    it('is cancelled if the stock is too low, and nothing is reserved or authorised', async () => {
      const before = await stock()
      const { id } = await placeOrder(customer, [{ sku: 'MUG-BLUE', quantity: 900 }], 'card_approved')
      expect(await waitForEntries(customer, id, 'order.cancelled')).toEqual([
        'order.placed',
        'stock.rejected',
        'order.cancelled',
      ])
      expect(await order(id)).toMatchObject({
        status: 'cancelled',
        reason: expect.stringContaining('not enough stock'),
      })
      expect(await stock()).toEqual(before)
    })

    it.each(['card_declined', 'card_insufficient_funds'])(
      'releases its stock if the card is %s',
      async (card) => {
        const before = await stock()
        const { id } = await placeOrder(customer, mug, card)
        expect(await waitForEntries(customer, id, 'stock.released')).toEqual([
          'order.placed',
          'stock.reserved',
          'payment.declined',
          'order.cancelled',
          'stock.released',
        ])
        expect(await order(id)).toMatchObject({ status: 'cancelled' })
        expect(await payment(id)).toMatchObject({ status: 'declined', captured: 0 })
        expect(await stock()).toMatchObject({ available: before.available, reserved: before.reserved })
      },
    )

    it('is recalled if its payment cannot be captured', async () => {
      const before = await stock()
      const { id } = await placeOrder(customer, mug, 'card_capture_fails')
      await waitForEntries(customer, id, 'order.confirmed')
      await shipOrder(staff, id)
      await waitForEntries(
        customer,
        id,
        'payment.capture-failed',
        'order.cancelled',
        'stock.released',
        'payment.voided',
      )
      expect(await order(id)).toMatchObject({ status: 'cancelled' })
      expect(await payment(id)).toMatchObject({ status: 'voided', captured: 0 })
      expect(await stock()).toMatchObject({
        available: before.available,
        reserved: before.reserved,
        sold: before.sold,
      })
    })
  })

  describe('an order that the customer cancels', () => {
    it('has its stock released and its payment voided', async () => {
      const before = await stock()
      const { id } = await placeOrder(customer, mug, 'card_approved')
      await waitForEntries(customer, id, 'order.confirmed')
      await cancelOrder(customer, id, { reason: 'changed my mind' })
      await waitForEntries(customer, id, 'stock.released', 'payment.voided')
      expect(await payment(id)).toMatchObject({ status: 'voided' })
      expect(await stock()).toMatchObject({ available: before.available, reserved: before.reserved })
    })

    it('keeps no stock and no payment, however early it is cancelled', async () => {
      const before = await stock()
      const placed = await Promise.all(
        Array.from({ length: 20 }, () => placeOrder(customer, mug, 'card_approved')),
      )
      await Promise.all(placed.map(({ id }) => cancelOrder(customer, id)))
      // once a later order is confirmed, each step of the earlier ones has run or was prevented
      const { id } = await placeOrder(customer, mug, 'card_approved')
      await waitForEntries(customer, id, 'order.confirmed')
      await expect.poll(async () => (await stock()).reserved, { timeout: 15_000 }).toBe(before.reserved + 1)
      for (const { id } of placed) {
        expect(await order(id)).toMatchObject({ status: 'cancelled' })
        await expect.poll(async () => (await payment(id))?.status ?? 'none').toMatch(/^(?:none|voided)$/)
      }
    })
  })

  describe('the access token of a session that has ended', () => {
    it('is refused by every domain within 5 s', async () => {
      const gone = await shop.register()
      const id = randomUUID()
      // a role or a body that is not allowed is refused only after the session
      const calls = [
        () => gone.GET('/orders'),
        () => gone.GET('/payments'),
        () =>
          gone.PATCH('/products/{id}', { params: { path: { id }, header: { 'If-Match': '*' } }, body: {} }),
        () =>
          gone.POST('/stock/{sku}/adjustments', {
            params: { path: { sku: 'MUG-BLUE' }, header: { 'Idempotency-Key': id } },
            body: { quantity: 1, reason: 'received' },
          }),
        () => gone.GET('/users/{id}', { params: { path: { id: gone.user.id } } }),
      ]
      const statuses = async () => Promise.all(calls.map(async (call) => (await call()).response.status))
      // from now on, the functions run
      expect(await statuses()).toEqual([200, 200, 403, 403, 200])
      expect((await gone.DELETE('/sessions/current')).response.status).toBe(204)
      await expect.poll(statuses, { timeout: 5_000 }).toEqual([401, 401, 401, 401, 401])
    })
  })

  describe('a completed order', () => {
    it('is refunded in parts, never more than was captured', async () => {
      const { id } = await placeOrder(customer, mug, 'card_approved')
      await waitForEntries(customer, id, 'order.confirmed')
      await shipOrder(staff, id)
      await waitForEntries(customer, id, 'order.completed')
      const path = { id: (await payment(id))!.id }
      const refund = async (amount: number) => {
        const body = { amount, reason: 'scratched' }
        return (await staff.POST('/payments/{id}/refunds', { params: { path }, body })).response.status
      }
      expect(await refund(1000)).toBe(201)
      expect(await refund(1000)).toBe(409)
      expect(await refund(290)).toBe(201)
      await waitForEntries(customer, id, 'payment.refunded')
      expect(await payment(id)).toMatchObject({ captured: 1290, refunded: 1290 })
    })
  })
}
