import type { Actor } from '../../functions/shared/auth/actor.ts'
import type { orders, timeline } from '../../functions/orders/order.ts'
import { goodsOf, piecesOf, priceOrder, type Price, type Terms } from '../../functions/orders/pricing.ts'
import type { notifications, orders as notifiedOrders } from '../../functions/notifications/notification.ts'
import { cancellationFacts, type Facts, type Kind } from '../../functions/notifications/texts.ts'
import type { payments, refunds } from '../../functions/payments/payment.ts'
import { formatMoney } from '../../functions/shared/schemas/money.ts'
import { mergeLines, type movements, type reservations } from '../../functions/stock/stock.ts'
import { idOf, isSold, priceOf, productNameOf, skuOf, type Ending, type PastOrder } from './dataset.ts'

/** What a past order has left behind in each domain, as its functions would have. Everything here is pure. */

export interface Rows {
  orders: (typeof orders.$inferInsert)[]
  timeline: (typeof timeline.$inferInsert)[]
  reservations: (typeof reservations.$inferInsert)[]
  movements: (typeof movements.$inferInsert)[]
  payments: (typeof payments.$inferInsert)[]
  refunds: (typeof refunds.$inferInsert)[]
  notifiedOrders: (typeof notifiedOrders.$inferInsert)[]
  notifications: (typeof notifications.$inferInsert)[]
}

type Status = Rows['orders'][number]['status']

/** A timeline entry: its type, the status after it, when it came, in ms after the one before, and what it says. */
type Step = readonly [
  type: string,
  status: Status,
  afterMs: number,
  detail?: string | undefined,
  actor?: Actor,
]

/** What the shop says of an order that was given up. */
const reasons: Partial<Record<Ending, string>> = {
  declined: 'the issuer declined the card',
  cancelled: 'ordered twice',
  'not-shipped': 'not shipped in time',
}

const notified: Readonly<Record<string, Kind>> = {
  'order.confirmed': 'order-confirmed',
  'order.shipped': 'order-shipped',
  'order.completed': 'order-completed',
  'order.cancelled': 'order-cancelled',
  'payment.declined': 'payment-declined',
  'payment.refunded': 'payment-refunded',
}

/** Who ships and refunds. */
export interface Staff {
  id: string
}

/**
 * Returns the rows of an order.
 * @param terms the tax rates and shipping methods, and whether prices include tax
 * @param nextPlace returns the number of the customer's next notification
 */
export function rowsOf(
  order: PastOrder,
  terms: Omit<Terms, 'country' | 'day'>,
  staff: Staff,
  nextPlace: () => number,
): Rows {
  const { id, shopper, ending, placedAt, lines: wanted } = order
  const lines = mergeLines(wanted.map(({ product, quantity }) => ({ sku: skuOf(product), quantity })))
  const { priced, amounts, total } = pricedOf(order, terms)
  const refunded = ending === 'refunded' ? refundedOf(order, total.amount) : 0
  const missing = lines[0]!
  const reason =
    ending === 'sold-out'
      ? `not enough stock (${missing.sku}: ${missing.quantity} wanted, 0 there)`
      : reasons[ending]
  const customer: Actor = `customer:${shopper.id}`
  const steps = stepsOf(order, {
    reason,
    customer,
    staff: `staff:${staff.id}`,
    refund: formatMoney({ ...total, amount: refunded }),
  })
  let at = placedAt.getTime()
  const entries = steps.map(([type, status, afterMs, detail = null, actor = 'system'], i) => ({
    orderId: id,
    seq: i + 1,
    type,
    detail,
    staffNote: null,
    actor,
    status,
    at: new Date((at += afterMs)),
  }))
  const last = entries.at(-1)!
  const when = (type: string) => entries.find((entry) => entry.type === type)?.at
  const ended = when('order.completed') ?? when('order.cancelled') ?? last.at
  const isReserved = ending !== 'sold-out'
  const moved = (kind: 'reserved' | 'released' | 'sold', time: Date | undefined) =>
    lines.map(({ sku, quantity }) => ({
      sku,
      id: idOf(time ?? last.at, `${kind} ${order.n} ${sku}`),
      quantity,
      kind,
      orderId: id,
      at: time ?? last.at,
    }))
  const paymentId = idOf(when('stock.reserved') ?? placedAt, `payment ${order.n}`)
  const isPaid = isSold(ending)
  const refundId = idOf(when('payment.refunded') ?? placedAt, `refund ${order.n}`)
  return {
    orders: [
      {
        id,
        customerId: shopper.id,
        status: last.status,
        lines: priced,
        totalAmount: total.amount,
        amounts,
        pieces: piecesOf(priced),
        currency: total.currency,
        deliveryAddress: shopper.address,
        note: null,
        reason: last.status === 'cancelled' ? (reason ?? null) : null,
        version: new Set(steps.map(([, status]) => status)).size,
        entries: entries.length,
        placedAt,
        updatedAt: ended,
      },
    ],
    timeline: entries,
    reservations: [
      {
        orderId: id,
        state: isPaid ? 'committed' : 'released',
        lines: isReserved ? lines : [],
        at: last.at,
      },
    ],
    movements: isReserved
      ? [
          ...moved('reserved', when('stock.reserved')),
          ...moved(isPaid ? 'sold' : 'released', when(isPaid ? 'stock.committed' : 'stock.released')),
        ]
      : [],
    payments: [
      {
        id: paymentId,
        orderId: id,
        // an order for which no payment was asked has one that blocks it (void-payment)
        customerId: isReserved ? shopper.id : null,
        status:
          ending === 'declined'
            ? 'declined'
            : !isPaid
              ? 'voided'
              : refunded === total.amount
                ? 'refunded'
                : 'captured',
        amount: isReserved ? total.amount : 0,
        currency: isReserved ? total.currency : 'XXX',
        captured: isPaid ? total.amount : 0,
        refunded,
        refunding: 0,
        providerId: isReserved ? `pay_${paymentId.replaceAll('-', '')}` : null,
        reason: ending === 'declined' ? reason! : null,
        version: isPaid ? (refunded > 0 ? 6 : 4) : 3,
        createdAt: when('stock.reserved') ?? placedAt,
        updatedAt: last.at,
      },
    ],
    refunds:
      refunded > 0
        ? [
            {
              id: refundId,
              paymentId,
              amount: refunded,
              reason: 'returned by the customer',
              status: 'done',
              caller: staff.id,
              key: refundId,
              hash: refundId,
              actor: `staff:${staff.id}`,
              at: when('payment.refunded')!,
            },
          ]
        : [],
    notifiedOrders: [{ id, customerId: shopper.id }],
    notifications: entries.flatMap(({ type, at: time, detail }) => {
      const kind = notified[type]
      if (kind === undefined) return []
      return [
        {
          id: idOf(time, `notification ${order.n} ${type}`),
          eventId: idOf(time, `event ${order.n} ${type}`),
          userId: shopper.id,
          seq: nextPlace(),
          kind,
          orderId: id,
          facts: factsOf(kind, {
            reason,
            isByCustomer: ending === 'cancelled',
            detail,
            refund: { ...total, amount: refunded },
          }),
          at: time,
          // most read them
          readAt: order.n % 5 === 0 ? null : new Date(time.getTime() + 60_000),
          mailTo: null,
        },
      ]
    }),
  }
}

function pricedOf({ lines, placedAt }: PastOrder, terms: Omit<Terms, 'country' | 'day'>) {
  const wanted = { lines: lines.map(({ product, quantity }) => ({ sku: skuOf(product), quantity })) }
  const prices = new Map<string, Price>(
    lines.map(({ product }) => [
      skuOf(product),
      {
        sku: skuOf(product),
        name: productNameOf(product),
        priceAmount: priceOf(product),
        currency: 'EUR',
        weightGrams: 0,
        taxClass: 'standard',
      },
    ]),
  )
  const goods = goodsOf(wanted, prices)
  const on = { ...terms, country: 'DE', day: placedAt.toISOString().slice(0, 10) }
  const found = 'refused' in goods ? goods : priceOrder(wanted, goods, on)
  if ('refused' in found) throw new Error(`an order cannot be priced: ${found.detail}`)
  return { priced: found.lines, amounts: found.amounts, total: found.total }
}

/** Every third refund is of the whole order. */
const refundedOf = ({ n }: PastOrder, total: number) => (n % 3 === 0 ? total : Math.ceil(total / 3))

function stepsOf(
  { ending, lastedMs }: PastOrder,
  said: { reason: string | undefined; customer: Actor; staff: Actor; refund: string },
): Step[] {
  const { reason, customer, staff, refund } = said
  const placed: Step = ['order.placed', 'placed', 0, undefined, customer]
  const reserved: Step = ['stock.reserved', 'reserved', 40]
  const released: Step = ['stock.released', 'cancelled', 60]
  if (ending === 'sold-out')
    return [placed, ['stock.rejected', 'placed', 40, reason], ['order.cancelled', 'cancelled', 5, reason]]
  if (ending === 'declined')
    return [
      placed,
      reserved,
      ['payment.declined', 'reserved', 80, reason],
      ['order.cancelled', 'cancelled', 5, reason],
      released,
    ]
  const confirmed: Step[] = [
    placed,
    reserved,
    ['payment.authorized', 'reserved', 80],
    ['order.confirmed', 'confirmed', 5],
  ]
  if (!isSold(ending))
    return [
      ...confirmed,
      ['order.cancelled', 'cancelled', lastedMs, reason, ending === 'cancelled' ? customer : 'system'],
      released,
      ['payment.voided', 'cancelled', 90],
    ]
  const completed: Step[] = [
    ...confirmed,
    ['order.shipped', 'shipped', lastedMs, undefined, staff],
    ['payment.captured', 'shipped', 100],
    ['order.completed', 'completed', 5],
    ['stock.committed', 'completed', 40],
  ]
  // half a day later, or before the end of the history
  const refunding: Step = ['payment.refunded', 'completed', Math.floor(lastedMs / 8), refund, staff]
  return ending === 'refunded' ? [...completed, refunding] : completed
}

function factsOf(
  kind: Kind,
  said: {
    reason: string | undefined
    isByCustomer: boolean
    detail: string | null
    refund: { amount: number; currency: string }
  },
): Facts {
  if (kind === 'order-cancelled')
    return cancellationFacts(said.isByCustomer ? 'cancelled on request' : (said.reason ?? ''))
  if (kind === 'payment-declined') return said.detail === null ? {} : { detail: said.detail }
  return kind === 'payment-refunded' ? { amount: said.refund } : {}
}
