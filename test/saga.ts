import { beforeAll, describe, expect, it } from 'vitest'
import type { ShopClient } from './client.ts'

/**
 * The order saga over real HTTP and JetStream, one test for each of its endings: the same against a shop on this
 * machine, in containers and in a cluster. Nobody else may order meanwhile, since it counts the stock.
 * @param open the shop, looked at when the tests begin
 */
export function describeSaga(open: () => ShopClient): void {
  let shop: ShopClient
  let customer: string
  let staff: string
  const mug = [{ sku: 'MUG-BLUE', quantity: 1 }]

  beforeAll(async () => {
    shop = open()
    ;[customer, staff] = await Promise.all([shop.customer(), shop.staff()])
  })

  const order = async (id: string) => (await shop.call(customer, 'GET', `/orders/${id}`)).body
  const payment = async (id: string) =>
    (await shop.call(customer, 'GET', `/payments?orderId=${id}`)).body.items[0]
  const stock = async (sku = 'MUG-BLUE') => (await shop.call(undefined, 'GET', `/stock/${sku}`)).body

  describe('an order that goes well', () => {
    it('is confirmed, shipped, paid and completed, and its stock sold', async () => {
      const before = await stock()
      const { id } = await shop.place(customer, mug, 'card_approved')
      await shop.until(customer, id, 'order.confirmed')
      expect(await payment(id)).toMatchObject({ status: 'authorized', captured: 0 })
      await shop.call(staff, 'POST', `/orders/${id}/shipment`, { carrier: 'Bike courier' })
      expect(await shop.until(customer, id, 'stock.committed')).toEqual([
        'order.placed',
        'stock.reserved',
        'payment.authorized',
        'order.confirmed',
        'order.shipped',
        'payment.captured',
        'order.completed',
        'stock.committed',
      ])
      expect(await order(id)).toMatchObject({ status: 'completed' })
      expect(await payment(id)).toMatchObject({ status: 'captured', captured: 1290 })
      expect(await stock()).toMatchObject({
        available: before.available - 1,
        reserved: before.reserved,
        sold: before.sold + 1,
      })
    })

    it('is confirmed with a card that is slow', async () => {
      const { id } = await shop.place(customer, mug, 'card_slow')
      await shop.until(customer, id, 'order.confirmed')
    })

    it('is confirmed where the provider answers only when it is asked again', async () => {
      const { id } = await shop.place(customer, mug, 'card_flaky')
      await shop.until(customer, id, 'order.confirmed')
    })

    it('is confirmed where the provider authorises and never says so', async () => {
      const { id } = await shop.place(customer, mug, 'card_timeout')
      await shop.until(customer, id, 'order.confirmed')
    })
  })

  describe('an order that cannot be fulfilled', () => {
    it('is cancelled where the stock is too low, and nothing is reserved or authorised', async () => {
      const before = await stock()
      const { id } = await shop.place(customer, [{ sku: 'MUG-BLUE', quantity: 5_000 }], 'card_approved')
      expect(await shop.until(customer, id, 'order.cancelled')).toEqual([
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
      'gives its stock back where the card is %s',
      async (card) => {
        const before = await stock()
        const { id } = await shop.place(customer, mug, card)
        expect(await shop.until(customer, id, 'stock.released')).toEqual([
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

    it('is called back where its payment cannot be captured', async () => {
      const before = await stock()
      const { id } = await shop.place(customer, mug, 'card_capture_fails')
      await shop.until(customer, id, 'order.confirmed')
      await shop.call(staff, 'POST', `/orders/${id}/shipment`, {})
      await shop.until(
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
      const { id } = await shop.place(customer, mug, 'card_approved')
      await shop.until(customer, id, 'order.confirmed')
      await shop.call(customer, 'POST', `/orders/${id}/cancellation`, { reason: 'changed my mind' })
      await shop.until(customer, id, 'stock.released', 'payment.voided')
      expect(await payment(id)).toMatchObject({ status: 'voided' })
      expect(await stock()).toMatchObject({ available: before.available, reserved: before.reserved })
    })

    it('keeps nothing however early the cancellation comes', async () => {
      const before = await stock()
      const placed = await Promise.all(
        Array.from({ length: 20 }, () => shop.place(customer, mug, 'card_approved')),
      )
      await Promise.all(placed.map(({ id }) => shop.call(customer, 'POST', `/orders/${id}/cancellation`, {})))
      // each step has run or was fenced off once an order placed after them all is through
      const { id } = await shop.place(customer, mug, 'card_approved')
      await shop.until(customer, id, 'order.confirmed')
      await expect.poll(async () => (await stock()).reserved, { timeout: 15_000 }).toBe(before.reserved + 1)
      for (const { id } of placed) {
        expect(await order(id)).toMatchObject({ status: 'cancelled' })
        await expect.poll(async () => (await payment(id))?.status ?? 'none').toMatch(/^(?:none|voided)$/)
      }
    })
  })

  describe('a completed order', () => {
    it('is refunded in parts, never above what was captured', async () => {
      const { id } = await shop.place(customer, mug, 'card_approved')
      await shop.until(customer, id, 'order.confirmed')
      await shop.call(staff, 'POST', `/orders/${id}/shipment`, {})
      await shop.until(customer, id, 'order.completed')
      const { id: paymentId } = await payment(id)
      const refund = (amount: number) =>
        shop.call(staff, 'POST', `/payments/${paymentId}/refunds`, { amount, reason: 'scratched' })
      expect((await refund(1000)).status).toBe(201)
      expect((await refund(1000)).status).toBe(409)
      expect((await refund(290)).status).toBe(201)
      await shop.until(customer, id, 'payment.refunded')
      expect(await payment(id)).toMatchObject({ captured: 1290, refunded: 1290 })
    })
  })
}
