import { uuidv7 } from 'uuidv7'
import { outboxRow, type Cause } from '../../events/emit.ts'
import { secretLifetimeMs } from '../../events/secrets.ts'
import type { EventData } from '../../events/event.ts'
import { firstAnswer, onceInOneStatement } from '../shared/store/transaction.ts'
import { couponProblems } from '../shared/http/coupon-redeemer.ts'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { violated } from '../shared/store/store-errors.ts'
import { redeemCoupons } from './discounts.ts'
import { customerOf, followClaim } from './ordering-for.ts'
import { orderIdConstraint, placeOrder, unpaidIn } from './place-order.ts'
import { idempotencyKeys, NewOrder, Order, orderedCartConstraint, toOrder } from './order.ts'
import { pricesOf } from './prices.ts'
import { goodsOf, piecesOf, placedAmounts, priceOrder, type Discount, type Refusal } from './pricing.ts'
import { problems } from './problems.ts'
import { decideWithinMs, fillWithinMs } from './shortage.ts'

export const createOrder = operation(
  'create-order',
  {
    request: { body: NewOrder },
    responses: { 201: Order },
    problems: [
      'wrong-role',
      problems['unknown-customer'],
      problems['price-changed'],
      problems['unknown-sku'],
      problems['mixed-currencies'],
      problems['order-too-large'],
      problems['unknown-shipping-method'],
      problems['shipping-not-available'],
      problems['too-many-unpaid'],
      problems['cart-ordered'],
      ...Object.values(couponProblems),
    ],
    headers: ['Location', 'ETag'],
  },
  async (
    { body, user, key, json, hono },
    { db, products, customers, coupons, prices, tariff, deadlineMs, mostUnpaid },
  ) => {
    const authorization = hono.req.header('authorization') ?? ''
    const customerId = await customerOf(
      { customerId: body.customerId, caller: user, authorization },
      { db, customers },
    )
    const now = new Date()
    const skus = body.lines.map((line) => line.sku)
    const [known, tariffs] = await Promise.all([pricesOf(db, products, skus), tariff()])
    const { country } = body.deliveryAddress
    const terms = { ...tariffs, prices, country, day: now.toISOString().slice(0, 10) }
    /** A retry of an accepted request returns the first answer, whatever has changed since. */
    const firstOr = async (problem: Problem) => {
      const kept = await firstAnswer(db, idempotencyKeys, key)
      if (kept !== undefined) return kept
      throw problem
    }
    const goods = goodsOf(body, known)
    if ('refused' in goods) return firstOr(problemOf(goods))
    let id = uuidv7()
    let discounts: readonly Discount[] = []
    const { couponCodes } = body
    if (couponCodes !== undefined) {
      const kept = await firstAnswer(db, idempotencyKeys, key)
      if (kept !== undefined) return kept
      const redeeming = {
        coupons,
        authorization,
        request: key.key,
        // unless it is the caller
        ...(body.customerId !== undefined && { customerId }),
      }
      const redeemed = await redeemCoupons({ ...body, couponCodes }, goods, terms, redeeming).catch(asProblem)
      // another attempt of this request may have redeemed what is used up now
      if (redeemed instanceof Problem) return firstOr(redeemed)
      if ('refused' in redeemed) return firstOr(problemOf(redeemed))
      ;({ orderId: id, discounts } = redeemed)
    }
    const priced = priceOrder(body, goods, terms, discounts)
    if ('refused' in priced) return firstOr(problemOf(priced))
    const { lines, amounts, total } = priced
    const pieces = piecesOf(lines)
    const { onShortage = 'cancel' } = body
    const row = {
      id,
      customerId,
      status: 'placed' as const,
      lines,
      deliveryAddress: body.deliveryAddress,
      totalAmount: total.amount,
      amounts,
      pieces,
      currency: total.currency,
      onShortage,
      shortage: null,
      note: body.note ?? null,
      reason: null,
      version: 1,
      entries: 1,
      placedAt: now,
      updatedAt: now,
      traceparent: db.cause?.traceparent ?? null,
    }
    const placed = {
      orderId: id,
      customerId,
      ...placedAmounts(priced),
      total,
      ...(onShortage !== 'cancel' && { onShortage }),
    }
    const cause = db.cause!
    const milestone = 'confirmation' as const
    const events = {
      event: outboxRow(cause, 'order.placed', id, placed),
      deadline: outboxRow(
        cause,
        'order.deadline-reached',
        id,
        { orderId: id, milestone },
        { afterMs: deadlineMs },
      ),
      cardToken: body.payment.cardToken,
      tokenKeptMs: secretLifetimeMs + (onShortage === 'ask' ? decideWithinMs + fillWithinMs : 0),
      cart: body.cartId === undefined ? undefined : cartOrdered(cause, placed, body.cartId),
      discount: couponCodes && outboxRow(cause, 'order.discounted', id, { orderId: id }),
    }
    const answer = json(toOrder({ ...row, deadline: null }), 201, {
      location: `/api/v1/orders/${id}`,
      etag: etag(1),
    })
    const place = onceInOneStatement(
      db,
      idempotencyKeys,
      key,
      answer,
      (kept) => placeOrder(db, row, events, mostUnpaid, kept),
      [events.event],
    )
    const placedOrKept = await place.catch(async (error: unknown) => {
      const unpaid = unpaidIn(error)
      // another attempt of this request has placed the order for which its coupons are redeemed
      const isPlaced = violated(error) === orderIdConstraint
      const isCartOrdered = violated(error) === orderedCartConstraint
      if (unpaid === undefined && !isPlaced && !isCartOrdered) throw error
      const kept = await firstAnswer(db, idempotencyKeys, key)
      if (kept !== undefined) return kept
      if (isCartOrdered) throw cartWasOrdered()
      throw unpaid === undefined ? error : tooManyUnpaid(unpaid, pieces, mostUnpaid)
    })
    if (body.customerId !== undefined) await followClaim(db, body.customerId)
    return placedOrKept
  },
)

/** Returns the event with which the customer's cart is emptied. */
const cartOrdered = (
  cause: Cause,
  { orderId, customerId, lines }: Pick<EventData<'order.placed'>, 'orderId' | 'customerId' | 'lines'>,
  cartId: string,
) => ({
  id: cartId,
  event: outboxRow(cause, 'cart.ordered', orderId, {
    orderId,
    customerId,
    cartId,
    lines: lines.map(({ sku, quantity }) => ({ sku, quantity })),
  }),
})

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  throw error
}

const problemOf = ({ refused, detail, errors, current: members }: Refusal) =>
  new Problem(problems[refused], { detail, errors, ...(members && { members }) })

const cartWasOrdered = () =>
  new Problem(problems['cart-ordered'], {
    detail: 'An order was made from this cart a moment ago. See the orders; the cart will be empty soon.',
  })

/** Returns a Problem 409, which says what the customer can do. */
const tooManyUnpaid = (unpaid: number, pieces: number, most: number) =>
  new Problem(problems['too-many-unpaid'], {
    detail:
      `Your unpaid orders contain ${unpaid} pieces, and this one ${pieces} more; ${most} are allowed. ` +
      (pieces > most
        ? 'Order fewer at a time.'
        : 'Wait until they are paid, which takes seconds if the card is good, or cancel one, and order again.'),
    members: { unpaid, allowed: most },
  })
