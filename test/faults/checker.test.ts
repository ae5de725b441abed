import { describe, expect, it } from 'vitest'
import type { Deed } from '../../functions/payments/sandbox/sandbox.ts'
import type { Order } from '../../functions/orders/order.ts'
import { hashOf } from '../../functions/invoices/chain.ts'
import type { InvoiceRow } from '../../functions/invoices/invoice.ts'
import { check, nothingPromised, type Books, type InvariantName, type Promised } from './checker.ts'

// The stores and responses of two orders: one is completed and partly refunded, the other is cancelled.

const start = new Date('2026-01-01T10:00:00Z')
const after = (ms: number) => new Date(start.getTime() + ms)

let seq = 0
const entry = (operation: Deed, reference: string, amount: number): Books['journal'][number] => ({
  seq: seq++,
  at: start.toISOString(),
  operation,
  key: `${operation}:${reference}`,
  hash: '',
  outcome: 'done',
  amount,
  payment: {
    id: `at-provider-${reference}`,
    reference,
    card: {},
    status: 'captured',
    amount: { amount, currency: 'EUR' },
    captured: 0,
    refunded: 0,
  },
})

const event = (id: string, type: string, subject: string, awaits: string[]): Books['outbox'][number] => ({
  id,
  type,
  subject,
  awaits,
  settled: true,
  payment_id: null,
  milestone: null,
  parcel_id: null,
})

const order = (id: string, status: 'completed' | 'cancelled', quantity: number): Books['orders'][number] => ({
  id,
  customer_id: 'ada',
  status,
  lines: [{ sku: 'MUG', quantity, gross: quantity * 10 }],
  total_amount: quantity * 10,
  on_shortage: 'cancel',
  coupon_codes: ['TEN-OFF'],
  version: 3,
  placed_at: start,
  updated_at: after(1_000),
})

const payment = (id: string, order_id: string, amount: number): Books['payments'][number] => ({
  id,
  order_id,
  status: 'voided',
  amount,
  captured: 0,
  refunded: 0,
})

/** Returns an invoice or a credit note of the order that is completed. */
function issued(series: 'INV' | 'CN', source: string, gross: number, before?: InvoiceRow): InvoiceRow {
  const content = { gross } as InvoiceRow['content']
  const ids = { id: source, source, orderId: 'bought', paymentId: 'paid', customerId: 'ada' }
  const seq = (before?.seq ?? 0) + 1
  const place = { series, year: 2026, seq, number: `${series}-2026-00000${seq}`, issuedAt: start }
  const row = { ...ids, ...place, content, previousHash: before?.hash ?? '' }
  return { ...row, hash: hashOf(row) }
}

/** An invoice of the order that is completed, and a credit note of what was refunded when a mug came back. */
function invoiceBooks(): Pick<Books, 'invoices' | 'returns' | 'restocked'> {
  const item = { sku: 'MUG', quantity: 1, net: 5, taxRate: 0, tax: 0, gross: 5, restock: false }
  const items = [{ sku: 'MUG', quantity: 1, reason: 'unwanted' as const, note: null }]
  return {
    invoices: [issued('INV', 'capture', 20), issued('CN', 'scratch', 5)],
    returns: [
      { id: 'back', orderId: 'bought', status: 'received', items, received: [item], refundAmount: 5 },
      { id: 'kept', orderId: 'bought', status: 'refused', items, received: null, refundAmount: null },
    ],
    restocked: [],
  }
}

const books = (): Books => ({
  users: [
    { id: 'ada', version: 1, has_left: false },
    { id: 'bob', version: 2, has_left: true },
  ],
  items: [{ sku: 'MUG', available: 8, reserved: 0, sold: 2, received: 10, announced: 'available' }],
  adjustments: [{ id: 'received', sku: 'MUG', quantity: 10 }],
  reservations: [
    { order_id: 'bought', state: 'committed', lines: [{ sku: 'MUG', quantity: 2 }] },
    { order_id: 'left', state: 'released', lines: [{ sku: 'MUG', quantity: 1 }] },
  ],
  orders: [order('bought', 'completed', 2), order('left', 'cancelled', 1)],
  timeline: [
    { order_id: 'bought', type: 'order.placed', at: start },
    { order_id: 'bought', type: 'order.confirmed', at: after(500) },
    { order_id: 'left', type: 'order.placed', at: start },
  ],
  payments: [
    { ...payment('paid', 'bought', 20), status: 'captured', captured: 20, refunded: 5 },
    payment('voided', 'left', 10),
  ],
  coupons: [{ id: 'ten', code: 'TEN-OFF', max_in_all: 1, max_per_user: 1, redeemed: 1 }],
  redemptions: [
    { order_id: 'bought', coupon_id: 'ten', user_id: 'ada', state: 'confirmed' },
    { order_id: 'left', coupon_id: 'ten', user_id: 'ada', state: 'returned' },
    { order_id: 'never placed', coupon_id: 'ten', user_id: 'ada', state: 'expired' },
  ],
  refunds: [
    { id: 'scratch', payment_id: 'paid', amount: 5, status: 'done', reason: 'scratched', return_id: null },
  ],
  ...invoiceBooks(),
  backorders: [],
  reduced: [],
  outbox: [
    event('e1', 'order.placed', 'bought', ['reserve-stock']),
    event('e2', 'order.placed', 'left', ['reserve-stock']),
    { ...event('e3', 'payment.refunded', 'bought', ['track-order']), payment_id: 'paid' },
  ],
  inbox: [
    { reaction: 'reserve-stock', event_id: 'e1' },
    { reaction: 'reserve-stock', event_id: 'e2' },
    { reaction: 'track-order', event_id: 'e3' },
  ],
  failures: [],
  products: [
    {
      _id: 'mug',
      sku: 'MUG',
      version: 2,
      deletedAt: null,
      stock: { availability: 'available' },
      rating: { sum: 4, count: 1 },
      outbox: [],
    },
  ],
  reviews: [
    { _id: 'good', productId: 'mug', authorId: 'ada', stars: 4, version: 1, deletedAt: null, outbox: [] },
    { _id: 'spam', productId: 'mug', authorId: 'bob', stars: 1, version: 2, deletedAt: start, outbox: [] },
  ],
  carts: [{ _id: 'ada', cartId: 'next', lines: [], outbox: [] }],
  ordered: [{ order_id: 'bought', customer_id: 'ada', cart_id: 'first' }],
  parcels: [],
  captures: [{ payment_id: 'paid', parcel_id: null, amount: 20, status: 'done' }],
  keptParcels: [],
  journal: [
    entry('authorize', 'paid', 20),
    entry('capture', 'paid', 20),
    entry('refund', 'paid', 5),
    entry('authorize', 'voided', 10),
    entry('void', 'voided', 10),
  ],
})

const answered = (id: string, amount: number) => {
  // only the fields that the checker reads
  const accepted = { id, total: { amount, currency: 'EUR' } } as Order
  return [id, { customerId: 'ada', status: 201, bodies: new Set(['{}']), order: accepted }] as const
}

const promised = (): Promised => ({
  ...nothingPromised(),
  orders: new Map([answered('bought', 20), answered('left', 10)]),
  adjustments: new Map([['received', { id: 'received', sku: 'MUG', quantity: 10 }]]),
  products: new Map([['mug', { id: 'mug', sku: 'MUG' }]]),
  registered: new Set(['ada', 'bob']),
  left: new Set(['bob']),
  versions: new Map([
    ['bought', 3],
    ['mug', 2],
  ]),
  cancelled: new Set(['left']),
  shipped: new Set(['bought']),
  refunds: new Map([['scratch', { orderId: 'bought', amount: 5 }]]),
  reviews: new Set(['good']),
  received: new Set(['back']),
  webhooks: [
    { isForged: false, status: 204 },
    { isForged: true, status: 401 },
  ],
})

const violationsOf = (books: Books, promised: Promised) =>
  check(books, promised, { deadlineMs: 60_000, slackMs: 10_000 }).flatMap(({ name, violations }) =>
    violations.map((violation) => `${name} ${violation}`),
  )

it('finds no violation in consistent stores', () => {
  expect(violationsOf(books(), promised())).toEqual([])
})

/** Turns the completed order into one that was shipped in two parcels. */
function shipInParcels(books: Books) {
  const parcel = (id: string, amount: number) => ({
    id,
    order_id: 'bought',
    status: 'shipped',
    packed: [{ sku: 'MUG', quantity: 1 }],
    amount,
  })
  books.parcels = [parcel('first', 12), parcel('second', 8)]
  const invoice = issued('INV', 'first', 12)
  books.invoices = [invoice, issued('INV', 'second', 8, invoice), issued('CN', 'scratch', 5)]
  books.captures = books.parcels.map(({ id, amount }) => ({
    payment_id: 'paid',
    parcel_id: id,
    amount: amount!,
    status: 'done',
  }))
  books.journal = [
    ...books.journal.filter(({ operation }) => operation !== 'capture'),
    ...books.parcels.map(({ id, amount }) => ({
      ...entry('capture', 'paid', amount!),
      key: `capture:paid:${id}`,
    })),
  ]
}

/** Then its rest is cancelled: the customer keeps the first parcel, which has cost 12, less what was refunded. */
function cancelTheRest(books: Books) {
  // nobody reviews what was not completed
  books.reviews = []
  delete books.products[0]!.rating
  shipInParcels(books)
  books.orders[0]!.status = 'cancelled'
  books.parcels.pop()
  books.captures.pop()
  books.invoices.splice(1, 1)
  books.journal.pop()
  books.journal.push(entry('void', 'paid', 8))
  books.payments[0]!.captured = 12
  books.keptParcels = [{ order_id: 'bought', parcel_id: 'first', items: [{ sku: 'MUG', quantity: 1 }] }]
  books.reservations[0]!.lines[0]!.quantity = 1
  Object.assign(books.items[0]!, { available: 9, sold: 1 })
  Object.assign(books.redemptions[0]!, { state: 'returned' })
  books.coupons[0]!.redeemed = 0
}

it.each([shipInParcels, cancelTheRest])(
  'finds none in an order that was shipped in parcels: %o',
  (change) => {
    const theBooks = books()
    change(theBooks)
    const thePromised = promised()
    if (theBooks.reviews.length === 0) thePromised.reviews.clear()
    expect(violationsOf(theBooks, thePromised)).toEqual([])
  },
)

describe('finds the violation', () => {
  const [bought, left] = [0, 1] as const
  it.each<[InvariantName, string, (books: Books, promised: Promised) => void]>([
    ['I1', 'is below zero', ({ items }) => Object.assign(items[0]!, { available: -1, received: 1 })],
    ['I1', 'is shown as low, but', ({ products }) => (products[0]!.stock = { availability: 'low' })],
    ['I1', 'does not add up', ({ items }) => (items[0]!.available = 9)],
    ['I1', '10 received, but', ({ adjustments }) => (adjustments[0]!.quantity = 9)],
    ['I1', '0 reserved, but', ({ reservations }) => (reservations[left]!.state = 'reserved')],
    ['I1', '2 sold, but', ({ reservations }) => (reservations[bought]!.lines[0]!.quantity = 3)],
    ['I2', 'bought was captured 2 times', ({ journal }) => journal.push(entry('capture', 'paid', 0))],
    [
      'I2',
      'left is cancelled, but 10 of its payment is kept',
      ({ journal }) => journal.push(entry('capture', 'voided', 10)),
    ],
    ['I2', '16 is kept of 20, less 5', ({ journal }) => (journal[2]!.amount = 4)],
    ['I2', 'has 19 captured, but at the provider 20', ({ payments }) => (payments[bought]!.captured = 19)],
    ['I2', 'has 4 refunded, but at the provider 5', ({ payments }) => (payments[bought]!.refunded = 4)],
    ['I2', '1 refunds, but 0 events', ({ outbox }) => outbox.pop()],
    [
      'I2',
      'a payment stray that the shop does not have',
      ({ journal }) => journal.push(entry('authorize', 'stray', 1)),
    ],
    ['I3', 'bought is still shipped', ({ orders }) => (orders[bought]!.status = 'shipped')],
    [
      'I3',
      'left is still confirmed',
      ({ orders }, { shipped }) => {
        orders[left]!.status = 'confirmed'
        shipped.add('left')
      },
    ],
    [
      'I3',
      'left was cancelled only after 70001 ms',
      ({ orders }, { cancelled }) => {
        orders[left]!.updated_at = after(70_001)
        cancelled.clear()
      },
    ],
    ['I3', 'bought was confirmed only after 70001 ms', ({ timeline }) => (timeline[1]!.at = after(70_001))],
    [
      'I3',
      'reserve-stock has given up on the event e1',
      ({ failures }) =>
        failures.push({
          reaction: 'reserve-stock',
          event_id: 'e1',
          parked: true,
          dropped: false,
          error: 'x',
        }),
    ],
    ['I4', 'reserve-stock has not handled order.placed e1', ({ inbox }) => inbox.shift()],
    [
      'I4',
      'reserve-stock has not handled order.placed e1',
      ({ inbox, failures }) => {
        inbox.shift()
        failures.push({
          reaction: 'reserve-stock',
          event_id: 'e1',
          parked: false,
          dropped: false,
          error: 'x',
        })
      },
    ],
    [
      'I4',
      'timeline: order.confirmed of bought more than once',
      ({ timeline }) => timeline.push(timeline[1]!),
    ],
    [
      'I4',
      'events: order.placed of bought more than once',
      ({ outbox, inbox }) => {
        outbox.push(event('e4', 'order.placed', 'bought', ['reserve-stock']))
        inbox.push({ reaction: 'reserve-stock', event_id: 'e4' })
      },
    ],
    [
      'I4',
      'events: order.deadline-reached of bought (shipment) more than once',
      ({ outbox }) =>
        ['confirmation', 'shipment', 'shipment'].forEach((milestone, n) =>
          outbox.push({ ...event(`e${n + 5}`, 'order.deadline-reached', 'bought', []), milestone }),
        ),
    ],
    [
      'I4',
      'the relay has not collected product.updated of MUG',
      ({ products }) => products[0]!.outbox!.push({ id: 'x', type: 'product.updated' }),
    ],
    [
      'I5',
      'version 3 of bought was confirmed, but it is at 2',
      ({ orders }) => (orders[bought]!.version = 2),
    ],
    ['I5', 'version 2 of mug was confirmed, but it is at 1', ({ products }) => (products[0]!.version = 1)],
    [
      'I8',
      'the void of payment voided was requested with another key',
      ({ journal }) => journal.push({ ...entry('void', 'voided', 10), outcome: 'refused', key: 'again' }),
    ],
    ['I5', 'the user ada does not exist', ({ users }) => users.shift()],
    [
      'I5',
      'the deletion of user bob was confirmed, but it still exists',
      ({ users }) => (users[1]!.has_left = false),
    ],
    ['I5', 'bought was accepted but does not exist', ({ orders }) => orders.shift()],
    ['I5', 'was accepted at 20 but is stored at 21', ({ orders }) => (orders[bought]!.total_amount = 21)],
    ['I5', 'the adjustment received of MUG does not exist', ({ adjustments }) => adjustments.pop()],
    ['I5', 'the product mug (MUG) does not exist', ({ products }) => (products[0]!.deletedAt = start)],
    [
      'I5',
      'the deletion of product mug was confirmed, but it still exists',
      (_, { withdrawn }) => withdrawn.add('mug'),
    ],
    [
      'I5',
      'the cancellation of order left was confirmed, but it is completed',
      ({ orders }) => (orders[left]!.status = 'completed'),
    ],
    ['I5', 'the refund scratch of order bought does not exist', ({ refunds }) => refunds.pop()],
    [
      'I5',
      'a webhook was answered with 204, although it was forged',
      (_, { webhooks }) => webhooks.push({ isForged: true, status: 204 }),
    ],
    [
      'I5',
      'a webhook was answered with 400',
      (_, { webhooks }) => webhooks.push({ isForged: false, status: 400 }),
    ],
    [
      'I6',
      'the key bought has 2 different responses',
      (_, { orders }) => orders.get('bought')!.bodies.add('{} '),
    ],
    ['I6', 'order left exists in addition to', (_, { orders }) => orders.delete('left')],
    [
      'I6',
      'the adjustment received of MUG exists in addition to',
      (_, { adjustments }) => adjustments.clear(),
    ],
    ['I6', 'the product mug (MUG) exists in addition to', (_, { products }) => products.clear()],
    ['I6', 'the refund scratch of payment paid exists in addition to', (_, { refunds }) => refunds.clear()],
    [
      'I8',
      'bought is completed, but its reservation is released',
      ({ reservations }) => (reservations[bought]!.state = 'released'),
    ],
    ['I8', 'bought is completed, but its reservation is missing', ({ reservations }) => reservations.shift()],
    [
      'I8',
      'left is cancelled, but its reservation is committed',
      ({ reservations }) => (reservations[left]!.state = 'committed'),
    ],
    ['I9', 'redeemed 1 times, but 0 orders', ({ redemptions }) => (redemptions[bought]!.state = 'returned')],
    [
      'I9',
      'order bought has TEN-OFF, whose redemption is returned',
      ({ redemptions }) => (redemptions[bought]!.state = 'returned'),
    ],
    ['I9', 'whose redemption is missing', ({ redemptions }) => redemptions.shift()],
    ['I9', 'is redeemed 1 times, and 0 are', ({ coupons }) => (coupons[0]!.max_in_all = 0)],
    ['I9', 'is redeemed 1 times by ada, and 0', ({ coupons }) => (coupons[0]!.max_per_user = 0)],
    [
      'I9',
      'not given back by order left, which is cancelled',
      ({ redemptions }) => (redemptions[left]!.state = 'confirmed'),
    ],
    [
      'I9',
      'not given back by order never placed, which is not placed',
      ({ redemptions }) => (redemptions[2]!.state = 'held'),
    ],
    ['I9', 'still held for order bought', ({ redemptions }) => (redemptions[bought]!.state = 'held')],
    [
      'I8',
      'the reservation of order bought differs',
      ({ reservations }) => (reservations[bought]!.lines[0]!.quantity = 3),
    ],
    [
      'I8',
      'there is a reservation without an order, stray',
      ({ reservations }) => reservations.push({ ...reservations[left]!, order_id: 'stray' }),
    ],
    ['I8', 'bought was authorised 2 times', ({ journal }) => journal.push(entry('authorize', 'paid', 20))],
    ['I8', 'left (cancelled): 0 captures and 0 voids', ({ journal }) => journal.pop()],
    [
      'I8',
      'bought (completed): 1 captures and 1 voids',
      ({ journal }) => journal.push(entry('void', 'paid', 20)),
    ],
    [
      'I4',
      'the relay has not collected cart.deadline-reached of the cart of ada',
      ({ carts }) => carts[0]!.outbox!.push({ id: 'e9', type: 'cart.deadline-reached' }),
    ],
    [
      'I9',
      'the cart first was ordered twice, as bought and left',
      ({ ordered }) => ordered.push({ ...ordered[0]!, order_id: 'left' }),
    ],
    [
      'I9',
      'the cart of ada was ordered as bought, but not emptied',
      ({ carts }) => (carts[0]!.cartId = 'first'),
    ],
    ['I9', 'the cart first was emptied without an order', ({ ordered }) => (ordered[0]!.order_id = 'stray')],
    [
      'I4',
      'the relay has not collected review.created of the review good',
      ({ reviews }) => reviews[0]!.outbox!.push({ id: 'e8', type: 'review.created' }),
    ],
    ['I5', 'the review good does not exist', ({ reviews }) => reviews.shift()],
    ['I6', 'the review good of mug exists in addition to', (_, { reviews }) => reviews.clear()],
    [
      'I10',
      'MUG is rated 4 stars of 1 reviews, but its 1 reviews have 5',
      ({ reviews }) => (reviews[0]!.stars = 5),
    ],
    [
      'I10',
      'MUG is rated 4 stars of 1 reviews, but its 2 reviews have 5',
      ({ reviews }) => (reviews[1]!.deletedAt = null),
    ],
    ['I10', 'MUG is rated 0 stars of 0 reviews', ({ products }) => delete products[0]!.rating],
    [
      'I10',
      'bob has reviewed MUG without a completed order',
      ({ reviews }) => (reviews[0]!.authorId = 'bob'),
    ],
    ['I10', 'ada has reviewed MUG 2 times', ({ reviews }) => reviews.push(reviews[0]!)],
    [
      'I11',
      'order bought has 2 of MUG, and 3 in its parcels',
      (all) => {
        shipInParcels(all)
        all.parcels[0]!.packed[0]!.quantity = 2
      },
    ],
    [
      'I11',
      'parcel second of order bought is captured 0 times',
      (all) => {
        shipInParcels(all)
        all.captures.pop()
        all.journal.pop()
      },
    ],
    [
      'I11',
      'parcel second of order bought is captured 2 times',
      (all) => {
        shipInParcels(all)
        all.journal.push(all.journal.at(-1)!)
      },
    ],
    [
      'I11',
      'parcel second costs 8, and 9 is captured for it',
      (all) => {
        shipInParcels(all)
        all.journal.at(-1)!.amount = 9
      },
    ],
    [
      'I11',
      'parcel first is paid, and was not shipped',
      (all) => {
        shipInParcels(all)
        all.parcels[0]!.status = 'packed'
      },
    ],
    [
      'I2',
      'bought is cancelled, but 12 of its payment is kept',
      (all) => {
        cancelTheRest(all)
        all.keptParcels = []
        all.refunds = []
        all.journal = all.journal.filter(({ operation }) => operation !== 'refund')
      },
    ],
    [
      'I8',
      'bought is cancelled, but its reservation is released',
      (all) => {
        cancelTheRest(all)
        all.reservations[bought]!.state = 'released'
      },
    ],
    [
      'I8',
      'bought (completed): 2 captures and 1 voids',
      (all) => {
        shipInParcels(all)
        all.journal.push(entry('void', 'paid', 1))
      },
    ],
    ['I1', '2 sold, but its', ({ restocked }) => restocked.push({ sku: 'MUG', quantity: 1 })],
    [
      'I12',
      'payment paid is captured, in 1 captures, and has 0 invoices',
      ({ invoices }) => invoices.shift(),
    ],
    [
      'I13',
      'left takes all or nothing, but something was left out',
      ({ reduced }) =>
        reduced.push({ order_id: 'left', total: 10, lines: [{ sku: 'MUG', quantity: 1, gross: 10 }] }),
    ],
    [
      'I13',
      'bought was reduced to 10, but costs 20',
      ({ reduced }) => reduced.push({ order_id: 'bought', total: 10, lines: [] }),
    ],
    [
      'I13',
      'bought has other lines',
      ({ reduced }) =>
        reduced.push({ order_id: 'bought', total: 20, lines: [{ sku: 'MUG', quantity: 1, gross: 20 }] }),
    ],
    [
      'I13',
      'bought costs 20, but 30 was authorised',
      ({ orders, payments }) => {
        orders[0]!.on_shortage = 'partial'
        payments[0]!.amount = 30
      },
    ],
    [
      'I13',
      'bought waits for MUG, of which some is available',
      ({ backorders }) => backorders.push({ order_id: 'bought', sku: 'MUG', quantity: 1, filled: 0 }),
    ],
    [
      'I13',
      'waits for MUG, but its reservation is released',
      ({ backorders }) => backorders.push({ order_id: 'left', sku: 'MUG', quantity: 1, filled: 1 }),
    ],
    [
      'I1',
      '0 reserved, but its',
      ({ backorders }) => backorders.push({ order_id: 'bought', sku: 'MUG', quantity: 1, filled: 1 }),
    ],
    ['I12', 'INV-2026-000001 was changed', ({ invoices }) => (invoices[0]!.content.gross = 19)],
    ['I12', 'and invoices of 19', ({ invoices }) => (invoices[0]!.content.gross = 19)],
    ['I12', 'INV-2026-000001 is missing', ({ invoices }) => (invoices[0]!.seq = 2)],
    ['I12', 'the refund scratch has 0 credit notes', ({ invoices }) => invoices.pop()],
    ['I12', 'CN-2026-000001 is for no refund', ({ refunds }) => refunds.pop()],
    ['I12', '3 of MUG came back', ({ returns }) => (returns[0]!.received![0]!.quantity = 3)],
    ['I12', '21 was to be refunded', ({ returns }) => (returns[0]!.received![0]!.gross = 21)],
    ['I12', '5 was refunded for the return kept', ({ refunds }) => (refunds[0]!.return_id = 'kept')],
    [
      'I12',
      'the return back was refunded 2 times',
      ({ refunds }) => {
        refunds[0]!.return_id = 'back'
        refunds.push({ ...refunds[0]! })
      },
    ],
    [
      'I5',
      'the receipt of the return back was confirmed',
      ({ returns }) => (returns[0]!.status = 'approved'),
    ],
  ])('%s: %s', (name, what, spoil) => {
    const [theBooks, thePromised] = [books(), promised()]
    spoil(theBooks, thePromised)
    const found = violationsOf(theBooks, thePromised)
    expect(found.filter((violation) => violation.startsWith(name)).join('\n')).toContain(what)
  })
})
