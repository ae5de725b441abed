import { sql } from 'drizzle-orm'
import type { OutboxRow } from '../../events/emit.ts'
import { secretLifetimeMs } from '../../events/secrets.ts'
import { outbox, secrets } from '../../events/tables.ts'
import type { Answer, IdempotencyKey } from '../shared/store/idempotency.ts'
import { prepared, type Db } from '../shared/store/postgres.ts'
import { errorCode, errorDetail } from '../shared/store/store-errors.ts'
import { idempotencyKeys, orderedCarts, orders, timeline, type OrderRow } from './order.ts'

/** The events that are emitted with a new order. */
interface Events {
  event: OutboxRow
  deadline: OutboxRow
  /** If the order is made from a cart. */
  cart?: { id: string; event: OutboxRow } | undefined
  /** If the order has coupons. */
  discount?: OutboxRow | undefined
  /** Left for payments, because events must not contain it. */
  cardToken: string
  /** How long the card token is kept unless payments uses it before, in ms. */
  tokenKeptMs: number
}

/** The constraint that a second order with the same id violates. */
export const orderIdConstraint = 'orders_pkey'

/** The code with which `orders.admit_pieces` refuses an order (migrations/0007_unpaid-pieces.sql). */
const tooManyUnpaid = 'ZS001'

/** Returns how many pieces wait for payment if an order was refused because of them; otherwise undefined. */
export const unpaidIn = (error: unknown): number | undefined =>
  errorCode(error) === tooManyUnpaid ? Number(errorDetail(error)) : undefined

/**
 * Writes a new order, its first timeline entry, its events, its card token and the stored answer in one
 * statement. It fails if the customer would have more than `mostUnpaid` pieces in orders that are not paid yet. This
 * takes a fraction of the time of a transaction with four statements (see bench/) and is just as atomic.
 */
export const placeOrder = (
  db: Db,
  order: Omit<OrderRow, 'deadline'>,
  { event, deadline, cart, discount, cardToken, tokenKeptMs }: Events,
  mostUnpaid: number,
  { status: answerStatus, headers: answerHeaders, body: answerBody, ...key }: IdempotencyKey & Answer,
) =>
  statementFor({ cart, discount })(db).execute({
    ...order,
    ...event,
    id: order.id,
    eventId: event.id,
    ...(cart !== undefined && { cartId: cart.id, cartEventId: cart.event.id, cartData: cart.event.data }),
    ...(discount !== undefined && { discountEventId: discount.id, discountData: discount.data }),
    deadlineId: deadline.id,
    deadlineType: deadline.type,
    deadlineData: deadline.data,
    deadlineMs: deadline.afterMs,
    cardToken,
    tokenMs: tokenKeptMs - secretLifetimeMs,
    mostUnpaid,
    ...key,
    answerStatus,
    answerHeaders,
    answerBody,
  })

const { placeholder } = sql
const at = placeholder('placedAt')
const common = {
  source: placeholder('source'),
  subject: placeholder('subject'),
  traceparent: placeholder('traceparent'),
  actor: placeholder('actor'),
  time: at,
}

const cartEvent = {
  id: placeholder('cartEventId'),
  type: 'cart.ordered',
  data: placeholder('cartData'),
  ...common,
}
const discountEvent = {
  id: placeholder('discountEventId'),
  type: 'order.discounted',
  data: placeholder('discountData'),
  ...common,
}

/** Each kind of order has a statement of its own, so that most orders write no more than they need. */
const statement = (kind: { isFromCart: boolean; isDiscounted: boolean }) =>
  prepared((db) => {
    const { isFromCart, isDiscounted } = kind
    const more = [...(isFromCart ? [cartEvent] : []), ...(isDiscounted ? [discountEvent] : [])]
    const { ctes, placed } = partsOf(db, more)
    const cart = db.$with('cart').as(
      db
        .insert(orderedCarts)
        .values({ cartId: placeholder('cartId'), orderId: placeholder('id') })
        .returning({ id: orderedCarts.cartId }),
    )
    return db
      .with(...ctes, ...(isFromCart ? [cart] : []))
      .select({ id: placed.id })
      .from(placed)
      .prepare(`place_order${isFromCart ? '_from_cart' : ''}${isDiscounted ? '_discounted' : ''}`)
  })

const plain = statement({ isFromCart: false, isDiscounted: false })
const discounted = statement({ isFromCart: false, isDiscounted: true })
const fromCart = statement({ isFromCart: true, isDiscounted: false })
const fromCartDiscounted = statement({ isFromCart: true, isDiscounted: true })

function statementFor({ cart, discount }: Pick<Events, 'cart' | 'discount'>) {
  if (cart === undefined) return discount === undefined ? plain : discounted
  return discount === undefined ? fromCart : fromCartDiscounted
}

/**
 * Returns what is written with every order.
 * @param more the events in addition to those of every order
 */
function partsOf(db: Db, more: readonly (typeof cartEvent | typeof discountEvent)[]) {
  const placed = db.$with('placed').as(
    db
      .insert(orders)
      .values({
        id: placeholder('id'),
        customerId: placeholder('customerId'),
        status: 'placed',
        lines: placeholder('lines'),
        totalAmount: placeholder('totalAmount'),
        amounts: placeholder('amounts'),
        currency: placeholder('currency'),
        pieces: sql`orders.admit_pieces(${placeholder('customerId')}::uuid, ${placeholder('pieces')}::integer, ${placeholder('mostUnpaid')}::bigint)`,
        deliveryAddress: placeholder('deliveryAddress'),
        note: placeholder('note'),
        onShortage: placeholder('onShortage'),
        placedAt: at,
        updatedAt: at,
        traceparent: placeholder('traceparent'),
      })
      .returning({ id: orders.id }),
  )
  const entry = db.$with('entry').as(
    db
      .insert(timeline)
      .values({
        orderId: placeholder('id'),
        seq: 1,
        type: 'order.placed',
        actor: placeholder('actor'),
        status: 'placed',
        at,
      })
      .returning({ seq: timeline.seq }),
  )
  const event = db.$with('event').as(
    db
      .insert(outbox)
      .values([
        { id: placeholder('eventId'), type: placeholder('type'), data: placeholder('data'), ...common },
        {
          id: placeholder('deadlineId'),
          type: placeholder('deadlineType'),
          data: placeholder('deadlineData'),
          due: sql`now() + ${placeholder('deadlineMs')}::integer * interval '1 millisecond'`,
          ...common,
        },
        ...more,
      ])
      // a constant, not a column: the domain's role may insert into the outbox, but not read it
      .returning({ done: sql`1`.as('done') }),
  )
  const token = db.$with('token').as(
    db
      .insert(secrets)
      .values({
        // the subject of the event
        subject: placeholder('subject'),
        recipient: 'payments',
        secret: placeholder('cardToken'),
        // as leaveSecret does it
        at: sql`now() + ${placeholder('tokenMs')}::bigint * interval '1 millisecond'`,
      })
      .returning({ done: sql`1`.as('done') }),
  )
  const kept = db.$with('kept').as(
    db
      .insert(idempotencyKeys)
      .values({
        caller: placeholder('caller'),
        key: placeholder('key'),
        hash: placeholder('hash'),
        status: placeholder('answerStatus'),
        headers: placeholder('answerHeaders'),
        body: placeholder('answerBody'),
      })
      .returning({ key: idempotencyKeys.key }),
  )
  return { ctes: [kept, placed, entry, event, token] as const, placed }
}
