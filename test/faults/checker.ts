/**
 * Checks the invariants of the shop after a run. It compares all stores, the payment provider's journal, and
 * the responses that clients got. Everything but `readBooks` is pure.
 */
import { isDeepStrictEqual } from 'node:util'
import { MongoClient } from 'mongodb'
import postgres from 'postgres'
import type { Entry } from '../../functions/payments/sandbox/sandbox.ts'
import type { PaymentStatus } from '../../functions/payments/payment.ts'
import type { Order, OrderStatus } from '../../functions/orders/order.ts'
import type { OnShortage } from '../../functions/shared/schemas/on-shortage.ts'
import { coupons, couponQueries, type CouponBooks } from './coupon-check.ts'
import { invoiceQueries, invoices, type InvoiceBooks } from './invoice-check.ts'
import { keptAmount, keptItems, parcelQueries, parcels, sumsOf, type ParcelBooks } from './parcel-check.ts'
import { reviews, shownReviews, type ReviewBooks } from './review-check.ts'
import { shortageQueries, shortages, type ShortageBooks } from './shortage-check.ts'

/** The contents of all stores and of the payment provider. */
export interface Books extends CouponBooks, ReviewBooks, ParcelBooks, InvoiceBooks, ShortageBooks {
  users: { id: string; version: number; has_left: boolean }[]
  items: {
    sku: string
    available: number
    reserved: number
    sold: number
    received: number
    /** The availability that was announced last. */
    announced: string
  }[]
  adjustments: { id: string; sku: string; quantity: number }[]
  reservations: {
    order_id: string
    state: 'reserved' | 'released' | 'committed'
    lines: { sku: string; quantity: number }[]
  }[]
  orders: {
    id: string
    customer_id: string
    status: OrderStatus
    lines: { sku: string; quantity: number; gross?: number }[]
    total_amount: number
    on_shortage: OnShortage
    coupon_codes: string[]
    version: number
    placed_at: Date
    updated_at: Date
  }[]
  timeline: { order_id: string; type: string; at: Date }[]
  payments: {
    id: string
    order_id: string
    status: PaymentStatus
    amount: number
    captured: number
    refunded: number
  }[]
  refunds: {
    id: string
    payment_id: string
    amount: number
    status: 'pending' | 'done' | 'failed'
    reason: string
    /** The return that it is for, if it is for one. */
    return_id: string | null
  }[]
  outbox: {
    id: string
    type: string
    subject: string
    awaits: string[]
    settled: boolean
    /** The payment that the event is about, if there is one. */
    payment_id: string | null
    /** What a deadline is for: an order has one for each milestone. */
    milestone: string | null
    /** The parcel that it is about, if there is one. */
    parcel_id: string | null
  }[]
  inbox: { reaction: string; event_id: string }[]
  failures: { reaction: string; event_id: string; parked: boolean; dropped: boolean; error: string }[]
  products: {
    _id: string
    sku: string
    version: number
    deletedAt?: Date | null
    /** What the catalogue shows of the stock. */
    stock?: { availability: string }
    /** The sum of the stars of its reviews, and their number. */
    rating?: { sum: number; count: number }
    /** Events that the relay has not collected. */
    outbox?: { id: string; type: string }[]
  }[]
  carts: {
    _id: string
    cartId: string
    lines: { sku: string; quantity: number }[]
    outbox?: { id: string; type: string }[]
  }[]
  /** The orders that were made from carts. */
  ordered: { order_id: string; customer_id: string; cart_id: string }[]
  /** The payment provider's journal. */
  journal: Entry[]
}

/** What the shop has confirmed to clients with a successful response. */
export interface Promised {
  /** By Idempotency-Key, with the bodies of all responses to it. */
  orders: Map<string, { customerId: string; status: number; bodies: Set<string>; order: Order }>
  /** By id, like the following ones. */
  adjustments: Map<string, { id: string; sku: string; quantity: number }>
  products: Map<string, { id: string; sku: string }>
  /** Products whose deletion was confirmed. */
  withdrawn: Set<string>
  /** Users whose registration was confirmed, and users whose deletion was confirmed. */
  registered: Set<string>
  left: Set<string>
  /** The latest confirmed version of each changed user, order and product. */
  versions: Map<string, number>
  /** Orders whose cancellation was confirmed, and orders whose shipment was confirmed. */
  cancelled: Set<string>
  shipped: Set<string>
  refunds: Map<string, { orderId: string }>
  /** The ids of reviews that were confirmed, and are not deleted. */
  reviews: Set<string>
  /** Returns whose receipt was confirmed. */
  received: Set<string>
  /** The answers to webhooks that were sent again, or forged. */
  webhooks: { isForged: boolean; status: number }[]
  /** The ids of orders, adjustments, products, refunds and reviews that existed before. */
  earlier: Set<string>
}

export const nothingPromised = (): Promised => ({
  orders: new Map(),
  adjustments: new Map(),
  products: new Map(),
  withdrawn: new Set(),
  registered: new Set(),
  left: new Set(),
  versions: new Map(),
  cancelled: new Set(),
  shipped: new Set(),
  refunds: new Map(),
  reviews: new Set(),
  received: new Set(),
  webhooks: [],
  earlier: new Set(),
})

/** What people created, and not the shop itself, each with a description. */
const madeByPeople = ({ adjustments, products, refunds, ...rest }: Books) => [
  ...adjustments.map(({ id, sku }) => ({ id, what: `the adjustment ${id} of ${sku}` })),
  ...products.map(({ _id, sku }) => ({ id: _id, what: `the product ${_id} (${sku})` })),
  ...refunds
    .filter(({ status, reason }) => status !== 'failed' && !ofShop.has(reason))
    .map(({ id, payment_id }) => ({ id, what: `the refund ${id} of payment ${payment_id}` })),
  ...shownReviews(rest).map(({ _id, productId }) => ({ id: _id, what: `the review ${_id} of ${productId}` })),
]

/** The reasons of refunds that the shop itself makes. */
const ofShop = new Set(['the order was cancelled', 'pieces came back'])

/** Returns empty promises for a shop that has been used before. */
export const promisedSince = (books: Books): Promised => ({
  ...nothingPromised(),
  earlier: new Set([...books.orders, ...madeByPeople(books)].map(({ id }) => id)),
})

export interface Rules {
  /** How long an order may wait for stock and payment, in ms. */
  deadlineMs: number
  /** How late an order may be cancelled or confirmed after its deadline, in ms. */
  slackMs: number
}

export type InvariantName =
  'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I8' | 'I9' | 'I10' | 'I11' | 'I12' | 'I13'

export interface Finding {
  name: InvariantName
  what: string
  /** How much was checked. */
  figures: string
  violations: string[]
}

export interface BookUrls {
  /** A URL with a role that may read every schema. */
  postgres: string
  /** Undefined if the shop has no products. */
  mongodb?: string
  sandbox: string
  sandboxKey: string
}

/** Reads all stores and the provider's journal. Call it once nothing is under way any more. */
export async function readBooks(urls: BookUrls): Promise<Books> {
  const sql = postgres(urls.postgres, {
    max: 1,
    onnotice: () => {},
    types: {
      // these are counts, far below the limit of a number
      bigint: { to: 20, from: [20], parse: Number, serialize: String },
    },
  })
  const mongo = urls.mongodb === undefined ? undefined : new MongoClient(urls.mongodb)
  try {
    const [journal, products, reviews, carts] = await Promise.all([
      fetch(`${urls.sandbox}/v1/journal`, {
        headers: { authorization: `Bearer ${urls.sandboxKey}` },
      }).then((response) => response.text()),
      mongo?.db('products').collection<Books['products'][number]>('products').find().toArray() ?? [],
      mongo?.db('products').collection<Books['reviews'][number]>('reviews').find().toArray() ?? [],
      mongo?.db('carts').collection<Books['carts'][number]>('carts').find().toArray() ?? [],
    ])
    // one snapshot, in case something is still under way
    return await sql.begin('isolation level repeatable read read only', async (tx) => {
      const read = <T>(query: string) => tx.unsafe(query) as unknown as Promise<T[]>
      return {
        users: await read('select id, version, deleted_at is not null as has_left from users.users'),
        items: await read(
          'select sku, available, reserved, sold, received, availability as announced from stock.items',
        ),
        adjustments: await read('select id, sku, quantity from stock.adjustments'),
        reservations: await read('select order_id, state, lines from stock.reservations'),
        orders: await read(
          `select id, customer_id, status, lines, total_amount, on_shortage, version, placed_at, updated_at,
            array(select jsonb_array_elements(amounts->'coupons')->>'code') as coupon_codes from orders.orders`,
        ),
        timeline: await read('select order_id, type, at from orders.timeline order by order_id, seq'),
        backorders: await read(shortageQueries.backorders),
        reduced: await read(shortageQueries.reduced),
        coupons: await read(couponQueries.coupons),
        redemptions: await read(couponQueries.redemptions),
        parcels: await read(parcelQueries.parcels),
        captures: await read(parcelQueries.captures),
        keptParcels: await read(parcelQueries.keptParcels),
        payments: await read(
          'select id, order_id, status, amount, captured, refunded from payments.payments',
        ),
        refunds: await read(
          `select id, payment_id, amount, status, reason, case when caller = 'return.received' then key end as return_id
            from payments.refunds`,
        ),
        invoices: await read(invoiceQueries.invoices),
        returns: await read(invoiceQueries.returns),
        restocked: await read(invoiceQueries.restocked),
        outbox: await read(
          `select id, type, subject, awaits, (settled_at is not null or due > now()) as settled, data->>'paymentId' as payment_id, data->>'milestone' as milestone, data->>'parcelId' as parcel_id from events.outbox`,
        ),
        inbox: await read('select reaction, event_id from events.inbox'),
        failures: await read(
          'select reaction, event_id, parked_at is not null as parked, dropped_at is not null as dropped, error from events.failures',
        ),
        products,
        reviews,
        carts,
        ordered: await read(
          `select subject as order_id, data->>'customerId' as customer_id, data->>'cartId' as cart_id from events.outbox where type = 'cart.ordered'`,
        ),
        journal: journal
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as Entry),
      }
    })
  } finally {
    await Promise.all([sql.end(), mongo?.close()])
  }
}

/** Checks every invariant. Returns a finding for each, with its figures and violations. */
export function check(books: Books, promised: Promised, rules: Rules): Finding[] {
  return [
    stock(books),
    money(books),
    endings(books, promised, rules),
    effects(books),
    kept(books, promised),
    keys(books, promised),
    once(books),
    coupons(books),
    carts(books),
    reviews(books),
    parcels(books),
    invoices(books),
    shortages(books),
  ]
}

function stock({ items, adjustments, reservations, backorders, products, restocked }: Books): Finding {
  const violations: string[] = []
  const lines = (state: string) =>
    sumsOf(reservations.filter((one) => one.state === state).flatMap((one) => one.lines))
  const [received, reserved, committed] = [sumsOf(adjustments), lines('reserved'), lines('committed')]
  const filled = sumsOf(backorders.map(({ sku, filled: quantity }) => ({ sku, quantity })))
  const back = sumsOf(restocked)
  const sold = new Map([...committed].map(([sku, quantity]) => [sku, quantity - (back.get(sku) ?? 0)]))
  const shown = new Map(products.map(({ sku, stock }) => [sku, stock?.availability]))
  for (const item of items) {
    const { sku, available, announced } = item
    if ((shown.get(sku) ?? announced) !== announced)
      violations.push(`${sku} is shown as ${shown.get(sku)}, but was announced as ${announced}`)
    if (available < 0 || item.reserved < 0) violations.push(`${sku} is below zero: ${JSON.stringify(item)}`)
    if (available + item.reserved + item.sold !== item.received)
      violations.push(`${sku} does not add up: ${JSON.stringify(item)}`)
    for (const [what, ours, theirs] of [
      ['received', item.received, received.get(sku) ?? 0],
      ['reserved', item.reserved, (reserved.get(sku) ?? 0) + (filled.get(sku) ?? 0)],
      ['sold', item.sold, sold.get(sku) ?? 0],
    ] as const)
      if (ours !== theirs)
        violations.push(
          `${sku}: ${ours} ${what}, but its adjustments, reservations and returns add up to ${theirs}`,
        )
  }
  const total = (of: (item: Books['items'][number]) => number) =>
    items.reduce((sum, item) => sum + of(item), 0)
  return {
    name: 'I1',
    what: 'stock: available and reserved ≥ 0, available + reserved + sold = received, the reservations agree, and the catalogue shows what was announced',
    figures: `${items.length} SKUs: ${total((i) => i.received)} received, ${total((i) => i.sold)} sold, ${total((i) => i.reserved)} reserved`,
    violations,
  }
}

function money(books: Books): Finding {
  const { orders, payments, refunds, outbox, journal } = books
  const violations: string[] = []
  const paymentOf = new Map(payments.map((payment) => [payment.order_id, payment]))
  const moved = movesOf(journal)
  let captured = 0
  let refunded = 0
  for (const order of orders) {
    const payment = paymentOf.get(order.id)
    const moves = payment && moved.get(payment.id)
    const held = (moves?.captured ?? 0) - (moves?.refunded ?? 0)
    captured += moves?.captured ?? 0
    refunded += moves?.refunded ?? 0
    // for each parcel with a key of its own
    if (moves !== undefined && moves.captures > moves.captureKeys.size)
      violations.push(`order ${order.id} was captured ${moves.captures} times`)
    if ((moves?.captured ?? 0) > order.total_amount)
      violations.push(`order ${order.id} costs ${order.total_amount}, but ${moves!.captured} is captured`)
    const done = refunds.filter((one) => one.payment_id === payment?.id && one.status === 'done')
    const sumOf = (some: typeof done) => some.reduce((sum, { amount }) => sum + amount, 0)
    const given = sumOf(done)
    const owed = keptAmount(books, order.id) - sumOf(done.filter(({ reason }) => !ofShop.has(reason)))
    if (order.status === 'cancelled' && held !== Math.max(0, owed))
      violations.push(`order ${order.id} is cancelled, but ${held} of its payment is kept`)
    if (order.status === 'completed' && held !== order.total_amount - given)
      violations.push(
        `order ${order.id} is completed: ${held} is kept of ${order.total_amount}, less ${given} refunded`,
      )
    if (payment !== undefined && payment.status !== 'voiding' && payment.captured !== (moves?.captured ?? 0))
      violations.push(
        `payment ${payment.id} has ${payment.captured} captured, but at the provider ${moves?.captured ?? 0}`,
      )
  }
  for (const { id, refunded: ours } of payments) {
    const theirs = moved.get(id)?.refunded ?? 0
    if (ours !== theirs) violations.push(`payment ${id} has ${ours} refunded, but at the provider ${theirs}`)
    const told = outbox.filter((event) => event.type === 'payment.refunded' && event.payment_id === id).length
    const done = refunds.filter((one) => one.payment_id === id && one.status === 'done').length
    if (told !== done) violations.push(`payment ${id} has ${done} refunds, but ${told} events for them`)
  }
  const known = new Set(payments.map(({ id }) => id))
  for (const reference of moved.keys())
    if (!known.has(reference))
      violations.push(`the provider has a payment ${reference} that the shop does not have`)
  return {
    name: 'I2',
    what: 'money: the shop keeps the order’s total less its refunds, or 0; a capture for the order or for each parcel; a cancelled order nets 0, or what its customer keeps',
    figures: `${payments.length} payments: ${captured} captured, ${refunded} refunded`,
    violations,
  }
}

function endings(
  { orders, timeline, failures }: Books,
  promised: Promised,
  { deadlineMs, slackMs }: Rules,
): Finding {
  const violations: string[] = []
  const parked = failures.filter((failure) => failure.parked && !failure.dropped)
  for (const order of orders) {
    const { id, status } = order
    const mayWait = status === 'confirmed' && !promised.shipped.has(id)
    if (status !== 'completed' && status !== 'cancelled' && !mayWait)
      violations.push(`order ${id} is still ${status}`)
    const took = order.updated_at.getTime() - order.placed_at.getTime()
    const isExcused =
      order.on_shortage === 'ask' ||
      [promised.shipped, promised.cancelled, promised.earlier].some((some) => some.has(id))
    if (status === 'cancelled' && !isExcused && took > deadlineMs + slackMs)
      violations.push(`order ${id} was cancelled only after ${took} ms`)
  }
  const placedAt = new Map(orders.map(({ id, placed_at }) => [id, placed_at.getTime()]))
  const asking = new Set(orders.flatMap(({ id, on_shortage }) => (on_shortage === 'ask' ? [id] : [])))
  for (const { order_id: id, type, at } of timeline) {
    const took = at.getTime() - (placedAt.get(id) ?? 0)
    if (
      type === 'order.confirmed' &&
      !asking.has(id) &&
      !promised.earlier.has(id) &&
      took > deadlineMs + slackMs
    )
      violations.push(`order ${id} was confirmed only after ${took} ms`)
  }
  for (const { reaction, event_id, error } of parked)
    violations.push(`${reaction} has given up on the event ${event_id}: ${error}`)
  return {
    name: 'I3',
    what: 'every accepted order is completed or cancelled within its deadline (or waits for its shipment)',
    figures: `${orders.length} orders: ${counts(orders.map(({ status }) => status))}`,
    violations,
  }
}

/** Events that may happen to an order more than once. */
const repeatable = new Set([
  'payment.refunded',
  'order.updated',
  'refund.requested',
  'stock.availability-changed',
  'stock.low',
  // an order may have several returns, and several refunds
  'return.requested',
  'return.approved',
  'return.refused',
  'return.received',
  'credit-note.issued',
  // each change of a name or an e-mail address
  'user.contact-changed',
  // each change by its author
  'review.updated',
  // each attempt to place an order holds its coupons for longer
  'redemption.deadline-reached',
  // each time that it is taken, or that a parcel is packed
  'shipment.deadline-reached',
])

/** Entries that an order has for each of its parcels. */
const ofParcels = new Set([
  'parcel.shipped',
  'parcel.delivered',
  'parcel.failed',
  'payment.captured',
  // I12 counts them by capture
  'invoice.issued',
])

function effects(books: Books): Finding {
  const { outbox, inbox, failures, timeline, products, reviews, carts, parcels, orders } = books
  const violations: string[] = []
  const done = new Set(inbox.map(({ event_id, reaction }) => `${event_id} ${reaction}`))
  // a failure that will be retried has had no effect yet
  const failed = new Set(
    failures
      .filter(({ parked, dropped }) => parked || dropped)
      .map(({ event_id, reaction }) => `${event_id} ${reaction}`),
  )
  let effects = 0
  for (const event of outbox)
    for (const reaction of event.awaits) {
      effects++
      const key = `${event.id} ${reaction}`
      if (!done.has(key) && !failed.has(key))
        violations.push(`${reaction} has not handled ${event.type} ${event.id}`)
    }
  for (const { sku, outbox: left = [] } of products)
    for (const { type } of left) violations.push(`the relay has not collected ${type} of ${sku}`)
  for (const { _id, outbox: left = [] } of reviews)
    for (const { type } of left) violations.push(`the relay has not collected ${type} of the review ${_id}`)
  for (const { _id, outbox: left = [] } of carts)
    for (const { type } of left) violations.push(`the relay has not collected ${type} of the cart of ${_id}`)
  const twice = (what: string, of: { key: string; type: string }[]) => {
    const seen = new Set<string>()
    for (const { key, type } of of) {
      if (repeatable.has(type)) continue
      if (seen.has(`${key} ${type}`)) violations.push(`${what}: ${type} of ${key} more than once`)
      seen.add(`${key} ${type}`)
    }
  }
  const inParcels = new Set(parcels.map(({ order_id }) => order_id))
  twice(
    'timeline',
    timeline
      .filter(({ order_id, type }) => !(inParcels.has(order_id) && ofParcels.has(type)))
      .map(({ order_id, type }) => ({ key: order_id, type })),
  )
  // with a shortage, an order has another deadline
  const mayHaveMoreTime = new Set(
    orders.flatMap(({ id, on_shortage }) => (on_shortage === 'cancel' ? [] : [id])),
  )
  twice(
    'events',
    outbox
      .filter(
        ({ subject, type }) =>
          !type.startsWith('product.') && !(inParcels.has(subject) && type === 'invoice.issued'),
      )
      .filter(({ subject, milestone }) => !(milestone === 'confirmation' && mayHaveMoreTime.has(subject)))
      .map(({ subject, milestone, parcel_id, type }) => {
        const which = milestone ?? parcel_id
        return { key: which === null ? subject : `${subject} (${which})`, type }
      }),
  )
  return {
    name: 'I4',
    what: 'each event takes effect exactly once per reaction',
    figures: `${outbox.length} events, ${effects} effects`,
    violations,
  }
}

function kept(books: Books, promised: Promised): Finding {
  const violations: string[] = []
  const reduced = new Set(books.reduced.map(({ order_id }) => order_id))
  const status = new Map(books.orders.map((order) => [order.id, order]))
  for (const { order } of promised.orders.values()) {
    const row = status.get(order.id)
    if (row === undefined) violations.push(`order ${order.id} was accepted but does not exist`)
    else if (row.total_amount !== order.total.amount && !reduced.has(order.id))
      violations.push(
        `order ${order.id} was accepted at ${order.total.amount} but is stored at ${row.total_amount}`,
      )
  }
  const adjustments = new Map(books.adjustments.map((one) => [one.id, one]))
  for (const { id, sku, quantity } of promised.adjustments.values())
    if (adjustments.get(id)?.quantity !== quantity)
      violations.push(`the adjustment ${id} of ${sku} does not exist`)
  const offered = new Set(books.products.filter((one) => one.deletedAt == null).map(({ _id }) => _id))
  for (const { id, sku } of promised.products.values())
    if (!offered.has(id)) violations.push(`the product ${id} (${sku}) does not exist`)
  for (const id of promised.withdrawn)
    if (offered.has(id)) violations.push(`the deletion of product ${id} was confirmed, but it still exists`)
  for (const id of promised.cancelled)
    if (status.get(id)?.status !== 'cancelled')
      violations.push(`the cancellation of order ${id} was confirmed, but it is ${status.get(id)?.status}`)
  const users = new Map(books.users.map((user) => [user.id, user]))
  for (const id of promised.registered) if (!users.has(id)) violations.push(`the user ${id} does not exist`)
  for (const id of promised.left)
    if (users.get(id)?.has_left !== true)
      violations.push(`the deletion of user ${id} was confirmed, but it still exists`)
  const versions = new Map([
    ...books.users.map(({ id, version }) => [id, version] as const),
    ...books.orders.map(({ id, version }) => [id, version] as const),
    ...books.products.map(({ _id, version }) => [_id, version] as const),
    ...books.reviews.map(({ _id, version }) => [_id, version] as const),
  ])
  for (const [id, version] of promised.versions)
    if ((versions.get(id) ?? 0) < version)
      violations.push(`version ${version} of ${id} was confirmed, but it is at ${versions.get(id)}`)
  const refunds = new Map(books.refunds.map((one) => [one.id, one]))
  for (const [id, { orderId }] of promised.refunds)
    if (!['done', 'pending'].includes(refunds.get(id)?.status ?? ''))
      violations.push(`the refund ${id} of order ${orderId} does not exist`)
  const shown = new Set(shownReviews(books).map(({ _id }) => _id))
  for (const id of promised.reviews) if (!shown.has(id)) violations.push(`the review ${id} does not exist`)
  const returns = new Map(books.returns.map((one) => [one.id, one]))
  for (const id of promised.received)
    if (returns.get(id)?.status !== 'received')
      violations.push(
        `the receipt of the return ${id} was confirmed, but it is ${returns.get(id)?.status ?? 'missing'}`,
      )
  for (const { isForged, status } of promised.webhooks)
    // a process whose clock is wrong may refuse a good one, too
    if (isForged ? status !== 401 : ![204, 401].includes(status))
      violations.push(`a webhook was answered with ${status}${isForged ? ', although it was forged' : ''}`)
  const promises =
    promised.orders.size +
    promised.adjustments.size +
    promised.products.size +
    promised.withdrawn.size +
    promised.registered.size +
    promised.left.size +
    promised.versions.size +
    promised.cancelled.size +
    promised.refunds.size +
    promised.reviews.size +
    promised.webhooks.length
  return {
    name: 'I5',
    what: 'what was confirmed to a client is stored',
    figures: `${promises} answers`,
    violations,
  }
}

function keys(books: Books, promised: Promised): Finding {
  const violations: string[] = []
  for (const [key, { bodies }] of promised.orders)
    if (bodies.size !== 1) violations.push(`the key ${key} has ${bodies.size} different responses`)
  const ids = new Set([...promised.orders.values()].map(({ order }) => order.id))
  const ours = new Set([...promised.orders.values()].map(({ customerId }) => customerId))
  for (const { id, customer_id } of books.orders)
    if (ours.has(customer_id) && !ids.has(id))
      violations.push(`order ${id} exists in addition to those that were confirmed`)
  // each was requested with a key, and retried until there was a response
  const { adjustments, products, withdrawn, refunds, reviews, earlier } = promised
  for (const { id, what } of madeByPeople(books))
    if (![adjustments, products, withdrawn, refunds, reviews, earlier].some((known) => known.has(id)))
      violations.push(`${what} exists in addition to those that were confirmed`)
  return {
    name: 'I6',
    what: 'one idempotency key, one resource, identical bytes',
    figures: `${promised.orders.size + adjustments.size + products.size + withdrawn.size + refunds.size + reviews.size} keys`,
    violations,
  }
}

function once(books: Books): Finding {
  const { orders, reservations, payments, journal } = books
  const violations: string[] = []
  const statusOf = new Map(orders.map(({ id, status }) => [id, status]))
  const reservationOf = new Map(reservations.map((one) => [one.order_id, one]))
  for (const { id, status, lines, on_shortage } of orders) {
    const held = reservationOf.get(id)
    if (status === 'completed' && held?.state !== 'committed')
      violations.push(`order ${id} is completed, but its reservation is ${held?.state ?? 'missing'}`)
    // an order that was refused or cancelled early has no reservation, or a released one
    const kept = keptItems(books, id)
    const ended = kept.size > 0 ? 'committed' : 'released'
    if (status === 'cancelled' && held !== undefined && held.state !== ended)
      violations.push(`order ${id} is cancelled, but its reservation is ${held.state}`)
    const expected = kept.size > 0 ? kept : sumsOf(lines)
    // one that was cancelled while it lacked something has reserved less
    const mayBeLess = status === 'cancelled' && on_shortage !== 'cancel' && kept.size === 0
    if (
      held !== undefined &&
      held.lines.length > 0 &&
      !mayBeLess &&
      !isDeepStrictEqual(sumsOf(held.lines), expected)
    )
      violations.push(`the reservation of order ${id} differs from its lines`)
  }
  // an order that is cancelled before it is reserved gets a row without lines, which prevents a reservation
  for (const { order_id, lines } of reservations)
    if (lines.length > 0 && !statusOf.has(order_id))
      violations.push(`there is a reservation without an order, ${order_id}`)
  const orderOf = new Map(payments.map((payment) => [payment.id, payment.order_id]))
  const moved = movesOf(journal)
  for (const [reference, { authorizations, captures, captureKeys, voids }] of moved) {
    const id = orderOf.get(reference)
    const status = id === undefined ? undefined : statusOf.get(id)
    if (authorizations > 1) violations.push(`order ${id} was authorised ${authorizations} times`)
    const isEnded = status === 'completed' || status === 'cancelled'
    // parcels are captured one by one; what is left of a cancelled order is voided
    const isInParcels = [...captureKeys].some((key) => key !== `capture:${reference}`)
    const isWrong = isInParcels
      ? captures > captureKeys.size || voids > (status === 'cancelled' ? 1 : 0)
      : captures + voids > 1 || (isEnded && authorizations > 0 && captures + voids !== 1)
    if (isWrong) violations.push(`order ${id} (${status}): ${captures} captures and ${voids} voids`)
  }
  // every retry must use the same key, even if the provider would refuse the request anyway
  const keyOf = new Map<string, string>()
  for (const { operation, key, payment } of journal) {
    // those of parcels are checked with their parcels
    if (operation === 'refund' || key.startsWith(`capture:${payment.reference}:`)) continue
    const deed = `${operation} of payment ${payment.reference}`
    if (key !== (keyOf.get(deed) ?? key)) violations.push(`the ${deed} was requested with another key`)
    keyOf.set(deed, key)
  }
  return {
    name: 'I8',
    what: 'each reservation is committed or released once; each authorisation captured or voided once, or captured by parcels',
    figures: `${reservations.length} reservations, ${moved.size} authorisations`,
    violations,
  }
}

function carts({ orders, carts, ordered }: Books): Finding {
  const violations: string[] = []
  const orderOf = new Map<string, string>()
  const known = new Set(orders.map(({ id }) => id))
  for (const { order_id, cart_id } of ordered) {
    const first = orderOf.get(cart_id)
    if (first !== undefined)
      violations.push(`the cart ${cart_id} was ordered twice, as ${first} and ${order_id}`)
    orderOf.set(cart_id, order_id)
    if (!known.has(order_id)) violations.push(`the cart ${cart_id} was emptied without an order`)
  }
  for (const { _id, cartId } of carts)
    if (orderOf.has(cartId))
      violations.push(`the cart of ${_id} was ordered as ${orderOf.get(cartId)}, but not emptied`)
  return {
    name: 'I9',
    what: 'a cart is ordered once, and emptied then',
    figures: `${carts.length} carts, ${ordered.length} orders from them`,
    violations,
  }
}

/** Sums up what the provider has done for each payment, by the shop's reference. */
function movesOf(journal: Entry[]) {
  const moves = new Map<
    string,
    {
      authorizations: number
      captures: number
      captureKeys: Set<string>
      voids: number
      captured: number
      refunded: number
    }
  >()
  for (const { outcome, operation, key, amount, payment } of journal) {
    if (outcome !== 'done') continue
    const of = moves.get(payment.reference) ?? {
      authorizations: 0,
      captures: 0,
      captureKeys: new Set<string>(),
      voids: 0,
      captured: 0,
      refunded: 0,
    }
    moves.set(payment.reference, of)
    if (operation === 'authorize') of.authorizations++
    if (operation === 'void') of.voids++
    if (operation === 'refund') of.refunded += amount
    if (operation === 'capture') {
      of.captures++
      of.captureKeys.add(key)
      of.captured += amount
    }
  }
  return moves
}

const counts = (of: string[]) =>
  Object.entries(Object.groupBy(of, (value) => value))
    .map(([value, all]) => `${all!.length} ${value}`)
    .join(', ')
