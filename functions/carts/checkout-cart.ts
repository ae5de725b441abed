import { uuidv7 } from 'uuidv7'
import { limited } from '../shared/http/limits.ts'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { formatMoney } from '../shared/schemas/money.ts'
import { keyLifetimeMs, reused, type IdempotencyKey } from '../shared/store/idempotency.ts'
import {
  asAdded,
  Checkout,
  isSameSubtotal,
  ordersAll,
  recentAttempts,
  toCart,
  type Attempt,
  type Cart,
  type CartState,
} from './cart.ts'
import { cartToken } from './guest.ts'
import type { Placed } from './place-order.ts'
import { productsWith } from './prices.ts'
import { problems } from './problems.ts'
import { shopperOf } from './shopper.ts'
import { forgetAttempt, removeOrdered, writeCart, type Deps } from './store.ts'

/*
 *   cart ─► attempt (in the cart) ─► create-order ─► 201: the cart is emptied ─► 201
 *                                         └► cart.ordered ─► empty-cart, in case this process ends before
 */

export const checkoutCart = operation(
  'checkout-cart',
  {
    request: { body: Checkout },
    requestHeaders: cartToken,
    answersAs: 'create-order',
    responses: {},
    problems: [
      problems['cross-site-request'],
      problems['cart-empty'],
      problems['cart-changed'],
      problems['products-gone'],
    ],
  },
  async (call, deps) => {
    const { body, user, key, hono, address, traceparent } = call
    const { headers } = await shopperOf(call, deps)
    const { attempt, cart } = await begin(deps, user.id, key, body)
    const placed = await deps.placeOrder(attempt, body, {
      authorization: hono.req.header('authorization')!,
      address,
      requestId: hono.req.header('x-request-id'),
      traceparent,
    })
    if (placed.status === 201) await removeOrdered(deps.carts, user.id, attempt, cart)
    else if (isRefused(placed)) {
      // so that its key is free again
      await forgetAttempt(deps.carts, user.id, key.key)
      if (cart !== undefined) checkShown(await shownNow(deps, cart), body.expectedSubtotal)
    }
    return limited(
      hono,
      (rateLimit) =>
        new Response(placed.answer, {
          status: placed.status,
          headers: { ...passedOn(placed), ...headers, ...rateLimit },
        }),
    )
  },
)

/**
 * Returns the attempt of a request: the one that its first time has begun, or else a new one with what is in the cart, and
 * the cart. If the cart costs what the customer saw at the prices when its products were added, today's are not read:
 * create-order refuses prices that have changed.
 * @throws Problem 409 if the cart is empty or not as the customer saw it, 422 if the key was used for another request
 */
async function begin(
  deps: Deps,
  userId: string,
  { key, hash }: IdempotencyKey,
  { expectedSubtotal }: Checkout,
): Promise<{ attempt: Attempt; cart?: CartState }> {
  const { carts } = deps
  for (;;) {
    const cart = await carts.findOne({ _id: userId }, { projection: { outbox: 0, merged: 0 } })
    const at = new Date()
    const attempts = recentAttempts(cart ?? {}, new Date(at.getTime() - keyLifetimeMs))
    const earlier = attempts.find((attempt) => attempt.key === key)
    if (earlier !== undefined) {
      const isOrdered = earlier.cartId !== cart!.cartId
      if (earlier.hash === hash && (isOrdered || ordersAll(earlier, cart!))) return { attempt: earlier }
      if (isOrdered) throw reused()
    }
    if (cart === null || cart.lines.length === 0)
      throw new Problem(problems['cart-empty'], { detail: 'Put something into the cart first.' })
    let shown = toCart(cart, asAdded(cart))
    if (!isSameSubtotal(shown.subtotal, expectedSubtotal)) {
      shown = await shownNow(deps, cart)
      checkShown(shown, expectedSubtotal)
    }
    // a second click: whichever comes first, both get its answer
    const twin = attempts.find(
      (one) => one.hash === hash && one.cartId === cart.cartId && ordersAll(one, cart),
    )
    const { orderKey, lines } = twin ?? { orderKey: `cart-${uuidv7()}`, lines: toLines(cart, shown) }
    const attempt = { key, hash, orderKey, at, cartId: cart.cartId, lines }
    const others = attempts.filter((attempt) => attempt.key !== key)
    const written = await writeCart(carts, userId, cart, { attempts: [...others, attempt] })
    if (written !== undefined) return { attempt, cart: written }
  }
}

/** Returns what the customer is shown: the cart at today's prices. */
const shownNow = async ({ products }: Deps, cart: CartState): Promise<Cart> =>
  toCart(
    cart,
    await productsWith(
      products,
      cart.lines.map(({ sku }) => sku),
    ),
  )

const toLines = ({ lines }: CartState, shown: Cart) =>
  lines.map(({ sku, quantity }, i) => ({ sku, quantity, unitPrice: shown.lines[i]!.unitPrice!.amount }))

/** @throws Problem 409 if products are gone, or the cart does not cost what the customer saw */
function checkShown(shown: Cart, expectedSubtotal: Checkout['expectedSubtotal']): void {
  const skus = shown.lines.flatMap(({ sku, notice }) => (notice === 'gone' ? [sku] : []))
  if (skus.length > 0)
    throw new Problem(problems['products-gone'], {
      detail: `The shop no longer sells ${skus.join(', ')}. Take that out of the cart.`,
      members: { skus },
    })
  const { subtotal, lines } = shown
  // create-order refuses several currencies, whatever is expected
  if (subtotal === null || isSameSubtotal(subtotal, expectedSubtotal)) return
  const detail = `the products cost ${formatMoney(subtotal)} now`
  throw new Problem(problems['cart-changed'], {
    detail: `The customer expects ${formatMoney(expectedSubtotal)}, but ${detail}. Show the cart again.`,
    errors: [{ pointer: '/body/expectedSubtotal', detail }],
    members: {
      lines: lines.map(({ sku, unitPrice }) => ({ sku, unitPrice: unitPrice!.amount })),
      subtotal,
    },
  })
}

/** Whether create-order has refused an order, and will not place it after all. */
const isRefused = ({ status, answer }: Placed) =>
  status >= 400 &&
  status < 500 &&
  status !== 408 &&
  status !== 429 &&
  typeOf(answer)?.endsWith('/idempotency-key-in-flight') !== true

/** Returns the type of a problem, or undefined if the answer is none. */
function typeOf(answer: string): string | undefined {
  try {
    return (JSON.parse(answer) as { type?: string }).type
  } catch {
    return undefined
  }
}

/** The headers of create-order's answer that matter to the client. */
const passedHeaders = [
  'content-type',
  'cache-control',
  'location',
  'etag',
  'retry-after',
  'www-authenticate',
  'idempotency-replayed',
] as const

const passedOn = ({ headers }: Placed) =>
  Object.fromEntries(
    passedHeaders.flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )
