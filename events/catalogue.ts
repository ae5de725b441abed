import * as z from 'zod'

/**
 * Every event type: what it tells and the shape of its data. JSON Schemas and the AsyncAPI document are
 * generated from it. Money is in minor units.
 */

const id = z.uuid()
const money = z.strictObject({ amount: z.int().min(0), currency: z.string().length(3) })
const sku = z.string().min(1).max(64)
const lines = z.array(z.strictObject({ sku, quantity: z.int().min(1) })).min(1)

const product = z.strictObject({
  productId: id,
  sku,
  name: z.string(),
  price: money,
  sellerId: id,
  /** Rises with each change: an older version never overwrites a newer one. */
  version: z.int().min(1),
})

const order = z.strictObject({ orderId: id })
const payment = z.strictObject({ orderId: id, paymentId: id, amount: money })

export const catalogue = {
  'product.created': { domain: 'products', summary: 'A product was added', data: product },
  'product.updated': { domain: 'products', summary: 'A product was changed', data: product },
  'product.deleted': {
    domain: 'products',
    summary: 'A product was taken off the shop',
    data: z.strictObject({ productId: id, sku, version: z.int().min(1) }),
  },

  'order.placed': {
    domain: 'orders',
    summary: 'A customer placed an order',
    data: z.strictObject({ orderId: id, customerId: id, lines, total: money, cardToken: z.string() }),
  },
  'order.confirmed': {
    domain: 'orders',
    summary: 'Stock is reserved and the payment authorised',
    data: order,
  },
  'order.shipped': { domain: 'orders', summary: 'Staff shipped the order', data: order },
  'order.completed': { domain: 'orders', summary: 'The order is shipped and paid', data: order },
  'order.cancelled': {
    domain: 'orders',
    summary: 'The order ended without a sale: what was taken is given back',
    data: z.strictObject({ orderId: id, reason: z.string() }),
  },

  'stock.reserved': {
    domain: 'stock',
    summary: 'Every line of the order is reserved',
    data: z.strictObject({ orderId: id, customerId: id, total: money, cardToken: z.string() }),
  },
  'stock.rejected': {
    domain: 'stock',
    summary: 'A line is larger than the stock: nothing is reserved',
    data: z.strictObject({
      orderId: id,
      shortages: z.array(z.strictObject({ sku, requested: z.int(), available: z.int().min(0) })).min(1),
    }),
  },
  'stock.released': { domain: 'stock', summary: 'The reservation was given back', data: order },
  'stock.committed': { domain: 'stock', summary: 'The reservation was turned into a sale', data: order },

  'payment.authorized': { domain: 'payments', summary: 'The total is authorised', data: payment },
  'payment.declined': {
    domain: 'payments',
    summary: 'The provider declined the card',
    data: z.strictObject({ orderId: id, paymentId: id, reason: z.string() }),
  },
  'payment.captured': { domain: 'payments', summary: 'The total is captured', data: payment },
  'payment.capture-failed': {
    domain: 'payments',
    summary: 'The provider refused to capture: the parcel is called back',
    data: z.strictObject({ orderId: id, paymentId: id, reason: z.string() }),
  },
  'payment.voided': { domain: 'payments', summary: 'The authorisation was given back', data: payment },
  'refund.requested': {
    domain: 'payments',
    summary: 'Staff refund a payment: it is finished even if whoever asked is gone',
    data: z.strictObject({ orderId: id, paymentId: id, refundId: id }),
  },
  'payment.refunded': { domain: 'payments', summary: 'Money went back to the customer', data: payment },
} as const satisfies Record<string, { domain: string; summary: string; data: z.ZodObject }>

export type EventType = keyof typeof catalogue
export type EventData<T extends EventType> = z.infer<(typeof catalogue)[T]['data']>

/** An event before it is encoded as a CloudEvent. */
export interface ShopEvent<T extends EventType = EventType> {
  id: string
  type: T
  /** The id (or SKU) of what it tells of. */
  subject: string
  time: Date
  traceparent?: string
  data: EventData<T>
}

export const typePrefix = 'dev.zeroshop.'

/** The NATS subject of an event type. */
export const subjectOf = (type: string) => `zeroshop.${type}`

/** The CloudEvents `source` of an event type: `/orders`. */
export const sourceOf = (type: EventType) => `/${catalogue[type].domain}`
