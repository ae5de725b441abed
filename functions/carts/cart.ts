import { createHash } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import * as z from 'zod'
import { outboxEntry, type OutboxEntry } from '../../events/mongodb-outbox.ts'
import { orderFields } from '../shared/schemas/order-fields.ts'
import { Currency, Money, Quantity, Sku, Timestamp } from '../shared/schemas/schemas.ts'
import { events } from './events.ts'

/**
 * Carts: documents, schemas and rules. Everything here is pure.
 *
 * A user has one cart, and so has a guest. An order is made from it once: then the cart gets a new `cartId`, and
 * whatever is left in it belongs to the next order.
 */

/** How many products a cart may have. */
export const maxLines = 100

/** The largest quantity of a product. */
const maxQuantity = Quantity.maxValue!

/** How long a cart is kept after its last change, in ms. */
export const keptMs = 30 * 24 * 60 * 60 * 1000

export const SkuParam = z.object({ sku: Sku })

export const CartItem = z.strictObject({ quantity: Quantity }).meta({ id: 'CartItem' })

const notices = ['price-changed', 'gone'] as const

export const CartLine = z
  .object({
    sku: Sku,
    name: z.string(),
    quantity: Quantity,
    unitPrice: z.union([Money, z.null()]).meta({ description: 'Today’s price; null if it is gone.' }),
    priceWhenAdded: Money.meta({ description: 'The price when its quantity was last set.' }),
    notice: z.enum(notices).nullable().meta({
      description:
        'What the customer should know: its price has changed since it was added, or the shop no longer sells it.',
    }),
  })
  .meta({ id: 'CartLine' })

/** What a cart may cost, which is more than an order may. */
export const Subtotal = z
  .strictObject({ amount: z.int().min(0), currency: Currency })
  .meta({ id: 'Subtotal' })
export type Subtotal = z.infer<typeof Subtotal>

export const Cart = z
  .object({
    lines: z.array(CartLine),
    pieces: z.int().meta({ description: 'The sum of the quantities.' }),
    subtotal: z.union([Subtotal, z.null()]).meta({
      description:
        'What the products cost that are still sold. Null if there are none, or their currencies differ.',
    }),
    expiresAt: Timestamp.nullable().meta({ description: 'When it is deleted, unless it changes.' }),
  })
  .meta({ id: 'Cart' })
export type Cart = z.infer<typeof Cart>

export const Checkout = z
  .strictObject({
    expectedSubtotal: Subtotal.meta({
      description: 'The subtotal that the customer saw. The checkout is refused if it has changed.',
    }),
    ...orderFields,
  })
  .meta({ id: 'Checkout' })
export type Checkout = z.infer<typeof Checkout>

export interface Line {
  sku: string
  quantity: number
  /** The price when its quantity was last set. */
  price: Money
}

/** A line of an order that is made from a cart. */
export interface OrderedLine {
  sku: string
  quantity: number
  /** The price that the customer saw, in minor units. */
  unitPrice: number
}

/** A request to check out, from before its order is placed, so that a retry makes the same order. */
export interface Attempt {
  /** Its Idempotency-Key, and the hash of its body. */
  key: string
  hash: string
  /** The Idempotency-Key of its order. */
  orderKey: string
  at: Date
  cartId: string
  lines: OrderedLine[]
}

/** The data of a cart. */
export interface CartState {
  /** The user's id, or that of a guest. */
  _id: string
  /** Changes when an order has been made from the cart. */
  cartId: string
  lines: Line[]
  /** Rises with each change. */
  version: number
  updatedAt: Date
  /** The event that looks next whether it has expired. */
  deadlineId: string
  /** The user whose cart it is merged into. It does not change any more. */
  mergedInto?: string
  /** The `cartId` of carts that were merged into it lately. */
  merged?: string[]
  attempts?: Attempt[]
}

export interface CartDocument extends CartState {
  /** Events that the relay has not collected yet. */
  outbox: OutboxEntry[]
}

/** A product as carts know it. */
export interface Product {
  /** The SKU. */
  _id: string
  name: string
  price: Money
  version: number
  isGone: boolean
}

export type Products = ReadonlyMap<string, Product>

/** Returns a new cart, with the event that looks whether it has expired. */
export function newCart(ownerId: string, given: Partial<CartState>, now: Date): CartDocument {
  const deadline = deadlineAfter(ownerId, now)
  return {
    _id: ownerId,
    cartId: uuidv7(),
    lines: [],
    version: 1,
    updatedAt: now,
    ...given,
    deadlineId: deadline.data.deadlineId,
    outbox: [deadline.event],
  }
}

/** Returns the deadline of a cart that was last changed at `updatedAt`. */
export function deadlineAfter(ownerId: string, updatedAt: Date) {
  const data = { ownerId, deadlineId: uuidv7() }
  const at = new Date(updatedAt.getTime() + keptMs)
  return { data, event: outboxEntry(events, 'cart.deadline-reached', ownerId, data, { at }) }
}

export const hasExpired = ({ updatedAt }: Pick<CartState, 'updatedAt'>, now: Date) =>
  updatedAt.getTime() + keptMs <= now.getTime()

/** Returns the products of a cart at the prices when they were added. */
export const asAdded = ({ lines }: Pick<CartState, 'lines'>): Products =>
  new Map(lines.map(({ sku, price }) => [sku, { _id: sku, name: '', price, version: 0, isGone: false }]))

/** Converts a cart to that of the API. */
export function toCart(cart: Pick<CartState, 'lines' | 'updatedAt'> | null, products: Products): Cart {
  const lines = (cart?.lines ?? []).map(({ sku, quantity, price }): Cart['lines'][number] => {
    const product = products.get(sku)
    const isGone = product === undefined || product.isGone
    return {
      sku,
      name: product?.name ?? '',
      quantity,
      unitPrice: isGone ? null : product.price,
      priceWhenAdded: price,
      notice: isGone ? 'gone' : isSame(product.price, price) ? null : 'price-changed',
    }
  })
  return {
    lines,
    pieces: lines.reduce((sum, { quantity }) => sum + quantity, 0),
    subtotal: subtotalOf(lines),
    expiresAt:
      cart === null || lines.length === 0 ? null : new Date(cart.updatedAt.getTime() + keptMs).toISOString(),
  }
}

const isSame = (one: Money, other: Money) => one.amount === other.amount && one.currency === other.currency

function subtotalOf(lines: Cart['lines']): Subtotal | null {
  const prices = lines.flatMap(({ unitPrice, quantity }) => (unitPrice ? [{ ...unitPrice, quantity }] : []))
  const [first] = prices
  if (first === undefined || prices.some(({ currency }) => currency !== first.currency)) return null
  return {
    amount: prices.reduce((sum, { amount, quantity }) => sum + amount * quantity, 0),
    currency: first.currency,
  }
}

/** Whether two amounts are the same; nothing is the same as nothing. */
export const isSameSubtotal = (one: Subtotal | null, other: Subtotal | null) =>
  one === null || other === null ? one === other : isSame(one, other)

/**
 * Returns the number in a cart's entity tag: a hash of what the client sees, which today's prices belong to. So the tag
 * changes with a price, and a guest's cart never has that of the user's.
 */
export const tagOf = (cart: Cart): number =>
  Number.parseInt(createHash('sha256').update(JSON.stringify(cart)).digest('hex').slice(0, 12), 16)

/**
 * Returns the lines with another quantity of a product, or with the product added.
 * @returns undefined if there would be too many
 */
export function withLine(lines: readonly Line[], line: Line): Line[] | undefined {
  const at = lines.findIndex(({ sku }) => sku === line.sku)
  if (at !== -1) return lines.with(at, line)
  return lines.length < maxLines ? [...lines, line] : undefined
}

/**
 * Adds a guest's lines to those of a user. The quantities of a product are added, up to what is available. If there
 * would be too many lines, the user's own come first.
 * @param available the quantities that are available, by SKU; one that is missing is not known
 */
export function mergeLines(
  own: readonly Line[],
  guests: readonly Line[],
  available: ReadonlyMap<string, number>,
): Line[] {
  const lines = new Map(own.map((line) => [line.sku, line]))
  for (const line of guests) {
    const known = lines.get(line.sku)
    if (known !== undefined)
      lines.set(line.sku, { ...line, quantity: sumOf(known, line, available.get(line.sku)) })
    else if (lines.size < maxLines) lines.set(line.sku, line)
  }
  return [...lines.values()]
}

/** Never less than what one of the carts had already: only what merging adds is capped. */
const sumOf = (one: Line, other: Line, available = maxQuantity) =>
  Math.min(one.quantity + other.quantity, maxQuantity, Math.max(available, one.quantity, other.quantity))

/** Returns the lines without what was ordered. */
export function withoutOrdered(
  lines: readonly Line[],
  ordered: readonly { sku: string; quantity: number }[],
): Line[] {
  const bought = new Map(ordered.map(({ sku, quantity }) => [sku, quantity]))
  return lines.flatMap((line) => {
    const quantity = line.quantity - (bought.get(line.sku) ?? 0)
    return quantity > 0 ? [{ ...line, quantity }] : []
  })
}

/** Returns the attempts to keep: those whose answers create-order keeps, too. */
export const recentAttempts = ({ attempts = [] }: Pick<CartState, 'attempts'>, since: Date): Attempt[] =>
  attempts.filter(({ at }) => at >= since).slice(1 - maxAttempts)

/** How many attempts to check out a cart keeps. */
const maxAttempts = 20

/** Whether an attempt orders what the cart contains. */
export const ordersAll = ({ lines }: Attempt, cart: Pick<CartState, 'lines'>): boolean =>
  lines.length === cart.lines.length &&
  lines.every(({ sku, quantity }, i) => cart.lines[i]!.sku === sku && cart.lines[i]!.quantity === quantity)
