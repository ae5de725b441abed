import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { checkOut, readCart } from '../demo/client/carts.ts'
import { good } from '../demo/client/good.ts'
import type { Person } from '../demo/client/shop.ts'
import { cancelOrder, newOrder, paymentOf, placeOrder, readOrder, shipOrder } from '../demo/client/orders.ts'
import { productWith, reviewProduct } from '../demo/client/reviews.ts'
import { deliverParcel, packParcel, readShipment, shipParcel } from '../demo/client/shipments.ts'
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
  const isInvoice = (type: string) => type === 'invoice.issued'
  /** Waits until an order is completed and has its invoice. Returns the other entries: it comes before or after some. */
  const endOf = async (id: string) =>
    (await waitForEntries(customer, id, 'stock.committed', 'invoice.issued')).filter(
      (type) => !isInvoice(type),
    )

  describe('an order that succeeds', () => {
    it('is confirmed, shipped, paid and completed, and its stock is sold', async () => {
      const before = await stock()
      const { id } = await placeOrder(customer, mug, 'card_approved')
      await waitForEntries(customer, id, 'order.confirmed')
      expect(await payment(id)).toMatchObject({ status: 'authorized', captured: 0 })
      await shipOrder(staff, id, { carrier: 'Bike courier' })
      expect(await endOf(id)).toEqual([
        'order.placed',
        'stock.reserved',
        'payment.authorized',
        'order.confirmed',
        'order.shipped',
        'payment.captured',
        'order.completed',
        'stock.committed',
      ])
      expect((await readTimeline(customer, id)).filter(({ type }) => !isInvoice(type))).toMatchObject([
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

  describe('an order that is shipped in parcels', () => {
    /** Returns a confirmed order of three mugs, once it waits to be packed. */
    async function waiting(card: string) {
      const order = await placeOrder(customer, [{ sku: 'MUG-BLUE', quantity: 3 }], card)
      await waitForEntries(customer, order.id, 'order.confirmed')
      await expect
        .poll(async () => (await staff.GET('/shipments/{id}', at(order.id))).data?.status, {
          timeout: 60_000,
        })
        .toBe('waiting')
      return order
    }
    const at = (id: string) => ({ params: { path: { id } } })
    const dispatch = (trackingNumber: string) => ({ carrier: 'Bike courier', trackingNumber })

    it('is paid with each parcel, and completed with the last', async () => {
      const before = await stock()
      const { id, total } = await waiting('card_approved')
      const first = await packParcel(staff, id, [{ sku: 'MUG-BLUE', quantity: 1 }])
      const second = await packParcel(staff, id, [{ sku: 'MUG-BLUE', quantity: 2 }])
      const label = await staff.GET('/shipments/{id}/parcels/{parcelId}/label', {
        params: { path: { id, parcelId: first.id } },
        parseAs: 'blob',
      })
      expect(label.response.headers.get('content-type')).toBe('application/pdf')
      await shipParcel(staff, id, first.id, dispatch('BC-4711'))
      await waitForEntries(customer, id, 'payment.captured')
      expect(await payment(id)).toMatchObject({ status: 'partly_captured', captured: 1290 })
      // another function moves it on when it hears of the parcel
      await expect.poll(() => order(id), { timeout: 60_000 }).toMatchObject({ status: 'shipped' })
      expect((await staff.POST('/orders/{id}/shipment', { ...at(id), body: {} })).response.status).toBe(409)
      await shipParcel(staff, id, second.id, dispatch('BC-4712'))
      await waitForEntries(customer, id, 'stock.committed')
      expect(await payment(id)).toMatchObject({ status: 'captured', captured: total.amount })
      await deliverParcel(staff, id, first.id)
      await waitForEntries(customer, id, 'parcel.delivered')
      const entries = await readTimeline(customer, id)
      expect(entries.filter(({ type }) => type === 'payment.captured')).toHaveLength(2)
      expect(entries.filter(({ type }) => type === 'order.completed')).toHaveLength(1)
      expect(await readShipment(customer, id)).toMatchObject({
        status: 'shipped',
        parcels: [
          { number: 1, status: 'delivered', trackingNumber: 'BC-4711', amount: 1290 },
          { number: 2, status: 'shipped', last: true, amount: 2580 },
        ],
      })
      expect(await stock()).toMatchObject({ reserved: before.reserved, sold: before.sold + 3 })
      const invoices = async () =>
        (await good(customer.GET('/invoices', { params: { query: { orderId: id } } }))).items
      // each parcel has one, which may be issued in any order
      await expect
        .poll(async () => (await invoices()).map(({ gross }) => gross).toSorted((a, b) => a - b), {
          timeout: 60_000,
        })
        .toEqual([1290, 2580])
      expect((await invoices())[0]).toMatchObject({ buyer: { name: 'Ada' } })
    })

    it('is cancelled if the second parcel cannot be paid; the first stays paid, and its mug is sold', async () => {
      const before = await stock()
      const { id } = await waiting('card_second_capture_fails')
      for (const [i, quantity] of [1, 2].entries()) {
        const { id: parcel } = await packParcel(staff, id, [{ sku: 'MUG-BLUE', quantity }])
        await shipParcel(staff, id, parcel, dispatch(`BC-472${i}`))
        if (i === 0) await waitForEntries(customer, id, 'payment.captured')
      }
      await waitForEntries(customer, id, 'stock.released')
      await waitForEntries(customer, id, 'payment.voided')
      expect(await order(id)).toMatchObject({
        status: 'cancelled',
        reason: 'the issuer refuses a second capture',
      })
      expect(await payment(id)).toMatchObject({ status: 'captured', captured: 1290, refunded: 0 })
      await expect
        .poll(async () => (await readShipment(staff, id)).parcels.map(({ status }) => status))
        .toEqual(['shipped', 'recalled'])
      expect(await stock()).toMatchObject({
        available: before.available - 1,
        reserved: before.reserved,
        sold: before.sold + 1,
      })
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

  describe('an order of which a part is missing', () => {
    /** Orders so many mugs more than there are. */
    async function short(onShortage: 'partial' | 'ask', more: number) {
      const { available } = await stock()
      const body = { ...newOrder([{ sku: 'MUG-BLUE', quantity: available + more }]), onShortage }
      return { available, ...(await good(customer.POST('/orders', { body }))) }
    }
    const decide = (id: string, decision: 'part' | 'wait' | 'cancel') =>
      good(customer.POST('/orders/{id}/decision', { params: { path: { id } }, body: { decision } }))
    const receive = (quantity: number) =>
      staff.POST('/stock/{sku}/adjustments', {
        params: { path: { sku: 'MUG-BLUE' } },
        body: { quantity, reason: 'correction' },
      })
    const reservedNow = async () => (await stock()).reserved

    it('comes without it, and only the rest is authorised and captured, if it takes what is there', async () => {
      const before = await stock()
      const { id, available } = await short('partial', 2)
      expect(await waitForEntries(customer, id, 'order.confirmed')).toEqual([
        'order.placed',
        'stock.partly-reserved',
        'order.reduced',
        'payment.authorized',
        'order.confirmed',
      ])
      const total = { amount: 1290 * available, currency: 'EUR' }
      expect(await order(id)).toMatchObject({
        total,
        lines: [{ sku: 'MUG-BLUE', quantity: available }],
        shortage: { state: 'dropped', missing: [{ sku: 'MUG-BLUE', quantity: 2 }] },
      })
      expect(await payment(id)).toMatchObject({ status: 'authorized', amount: total })
      expect(await stock()).toMatchObject({ available: 0, reserved: before.reserved + available })
      await expect
        .poll(async () => (await readShipment(staff, id)).lines, { timeout: 60_000 })
        .toMatchObject([{ sku: 'MUG-BLUE', quantity: available }])
      await shipOrder(staff, id)
      await endOf(id)
      expect(await payment(id)).toMatchObject({ status: 'captured', captured: total.amount })
      expect(await stock()).toMatchObject({ reserved: before.reserved, sold: before.sold + available })
      await receive(available)
    })

    it('waits for its customer, who takes the part', async () => {
      const before = await stock()
      const { id, available } = await short('ask', 1)
      await waitForEntries(customer, id, 'order.decision-requested')
      expect(await order(id)).toMatchObject({ status: 'placed', shortage: { state: 'undecided' } })
      expect(await payment(id)).toBeUndefined()
      await decide(id, 'part')
      await waitForEntries(customer, id, 'order.confirmed')
      expect(await payment(id)).toMatchObject({ amount: { amount: 1290 * available } })
      await cancelOrder(customer, id)
      await waitForEntries(customer, id, 'stock.released')
      expect(await stock()).toMatchObject({ available: before.available, reserved: before.reserved })
    })

    it('waits for its customer, then for the rest, which it gets as soon as it comes', async () => {
      const before = await stock()
      const { id, available, total } = await short('ask', 2)
      await waitForEntries(customer, id, 'order.decision-requested')
      await decide(id, 'wait')
      await receive(1)
      await expect.poll(reservedNow, { timeout: 60_000 }).toBe(before.reserved + available + 1)
      await receive(1)
      await waitForEntries(customer, id, 'order.confirmed')
      expect(await payment(id)).toMatchObject({ status: 'authorized', amount: total })
      await cancelOrder(customer, id)
      await waitForEntries(customer, id, 'stock.released')
      await receive(-2)
      expect(await stock()).toMatchObject({ available: before.available, reserved: before.reserved })
    })

    it('is cancelled by its customer, and keeps nothing', async () => {
      const before = await stock()
      const { id } = await short('ask', 1)
      await waitForEntries(customer, id, 'order.decision-requested')
      await decide(id, 'cancel')
      await waitForEntries(customer, id, 'stock.released')
      expect(await stock()).toMatchObject({ available: before.available, reserved: before.reserved })
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
      await expect.poll(async () => (await stock()).reserved, { timeout: 60_000 }).toBe(before.reserved + 1)
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

    it('lets its customer review the product once, which counts for the rating', async () => {
      const buyer = await shop.register()
      const { id: productId, rating: before } = await productWith(shop, 'MUG-BLUE')
      const review = () => reviewProduct(buyer, productId, { stars: 5, title: 'Good', text: 'It is blue.' })
      const { id } = await placeOrder(buyer, mug, 'card_approved')
      await waitForEntries(buyer, id, 'order.confirmed')
      expect(await review()).toBe(409)
      await shipOrder(staff, id)
      await waitForEntries(buyer, id, 'order.completed')
      await expect.poll(review, { timeout: 60_000, interval: 500 }).toBe(201)
      expect(await review()).toBe(409)
      const rating = async () => (await productWith(shop, 'MUG-BLUE')).rating
      const count = before.count + 1
      await expect.poll(rating, { timeout: 60_000 }).toMatchObject({ count })
      const sum = (before.average ?? 0) * before.count + 5
      expect((await rating()).average).toBeCloseTo(sum / count, 1)
      const path = { id: productId }
      const { items } = await good(shop.GET('/products/{id}/reviews', { params: { path } }))
      expect(items[0]).toMatchObject({ stars: 5, title: 'Good', text: 'It is blue.', answer: null })
    })

    it('has an invoice, and a return of it a refund and a credit note; what is good is sold again', async () => {
      const before = await stock()
      const { id: orderId } = await placeOrder(customer, [{ sku: 'MUG-BLUE', quantity: 2 }], 'card_approved')
      await waitForEntries(customer, orderId, 'order.confirmed')
      await shipOrder(staff, orderId)
      await endOf(orderId)
      const invoices = async () =>
        (await good(customer.GET('/invoices', { params: { query: { orderId } } }))).items
      const [invoice] = await invoices()
      expect(invoice).toMatchObject({ kind: 'invoice', gross: 2580, buyer: { name: 'Ada' } })
      const pdf = await customer.GET('/invoices/{id}', {
        params: { path: { id: invoice!.id } },
        headers: { accept: 'application/pdf' },
        parseAs: 'arrayBuffer',
      })
      expect(pdf.response.headers.get('content-type')).toBe('application/pdf')
      expect(
        Buffer.from(pdf.data as ArrayBuffer)
          .subarray(0, 5)
          .toString(),
      ).toBe('%PDF-')

      const items = [{ sku: 'MUG-BLUE', quantity: 2, reason: 'unwanted' as const }]
      const request = () => customer.POST('/returns', { body: { orderId, items } })
      // returns hear of the shipment by event
      await expect.poll(async () => (await request()).response.status, { timeout: 60_000 }).toBe(201)
      const [asked] = (await good(customer.GET('/returns', { params: { query: { orderId } } }))).items
      const at = { params: { path: { id: asked!.id } } }
      await good(staff.POST('/returns/{id}/approval', at))
      const came = [true, false].map((restock) => ({ sku: 'MUG-BLUE', quantity: 1, restock }))
      await good(staff.POST('/returns/{id}/receipt', { ...at, body: { items: came } }))
      await waitForEntries(
        customer,
        orderId,
        'return.requested',
        'return.approved',
        'return.received',
        'payment.refunded',
        'credit-note.issued',
      )
      expect(await payment(orderId)).toMatchObject({ captured: 2580, refunded: 2580, status: 'refunded' })
      expect(await invoices()).toMatchObject([
        { kind: 'credit-note', gross: 2580, tax: invoice!.tax, corrects: [invoice!.number] },
        { kind: 'invoice' },
      ])
      await expect
        .poll(stock, { timeout: 60_000 })
        .toMatchObject({ available: before.available - 1, sold: before.sold + 1 })
    })
  })
}
