import { uuidv7 } from 'uuidv7'
import { outboxRow } from '../../events/emit.ts'
import { firstAnswer, onceInOneStatement } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { customerOf, followClaim } from './ordering-for.ts'
import { placeOrder, unpaidIn } from './place-order.ts'
import { idempotencyKeys, NewOrder, Order, toOrder } from './order.ts'
import { pricesOf } from './prices.ts'
import { goodsOf, piecesOf, priceOrder } from './pricing.ts'
import { problems } from './problems.ts'

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
    ],
    headers: ['Location', 'ETag'],
  },
  async (
    { body, user, key, json, hono },
    { db, products, customers, prices, tariff, deadlineMs, mostUnpaid },
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
    const goods = goodsOf(body, known)
    const priced = 'refused' in goods ? goods : priceOrder(body, goods, terms)
    if ('refused' in priced) {
      const { refused, detail, errors, current: members } = priced
      // a retry of an accepted request returns the first answer, even if a product was changed since
      const kept = await firstAnswer(db, idempotencyKeys, key)
      if (kept !== undefined) return kept
      throw new Problem(problems[refused], { detail, errors, ...(members && { members }) })
    }
    const { lines, amounts, total } = priced
    const pieces = piecesOf(lines)
    const id = uuidv7()
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
      note: body.note ?? null,
      reason: null,
      version: 1,
      entries: 1,
      placedAt: now,
      updatedAt: now,
      traceparent: db.cause?.traceparent ?? null,
    }
    const { method: _, name: __, ...shipping } = amounts.shipping
    const placed = {
      orderId: id,
      customerId,
      lines: lines.map(({ name: _, ...line }) => line),
      prices,
      shipping,
      total,
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
      if (unpaid === undefined) throw error
      // a retry of an accepted request returns the first answer, whatever was ordered since
      return (await firstAnswer(db, idempotencyKeys, key)) ?? refuseUnpaid(unpaid, pieces, mostUnpaid)
    })
    if (body.customerId !== undefined) await followClaim(db, body.customerId)
    return placedOrKept
  },
)

/** @throws Problem 409, which says what the customer can do */
function refuseUnpaid(unpaid: number, pieces: number, most: number): never {
  throw new Problem(problems['too-many-unpaid'], {
    detail:
      `Your unpaid orders contain ${unpaid} pieces, and this one ${pieces} more; ${most} are allowed. ` +
      (pieces > most
        ? 'Order fewer at a time.'
        : 'Wait until they are paid, which takes seconds if the card is good, or cancel one, and order again.'),
    members: { unpaid, allowed: most },
  })
}
