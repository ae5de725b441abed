import { sql } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { outboxRow } from '../../events/emit.ts'
import { firstAnswer, onceInOneStatement } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { prepared, type Db } from '../shared/store/postgres.ts'
import { Problem } from '../shared/http/problems.ts'
import type { ProductReader } from '../shared/http/product-reader.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { placeOrder } from './place-order.ts'
import { idempotencyKeys, NewOrder, Order, priceLines, products, toOrder, type Price } from './order.ts'
import { problems } from './problems.ts'

export const createOrder = operation(
  'create-order',
  {
    request: { body: NewOrder },
    responses: { 201: Order },
    problems: [problems['unknown-sku'], problems['mixed-currencies'], problems['order-too-large']],
    headers: ['Location', 'ETag'],
  },
  async ({ body, user, key, json }, { db, products, deadlineMs }) => {
    const skus = body.lines.map((line) => line.sku)
    const priced = priceLines(body.lines, await pricesOf(db, products, skus), body.currency)
    if ('refused' in priced) {
      const { refused, detail, pointer } = priced
      // a retry of an accepted request returns the first answer, even if a product was deleted since
      const kept = await firstAnswer(db, idempotencyKeys, key)
      if (kept !== undefined) return kept
      throw new Problem(problems[refused], { detail, errors: [{ pointer, detail }] })
    }
    const { lines, total } = priced
    const now = new Date()
    const id = uuidv7()
    const row = {
      id,
      customerId: user.id,
      status: 'placed' as const,
      lines,
      deliveryAddress: body.deliveryAddress,
      totalAmount: total.amount,
      currency: total.currency,
      note: body.note ?? null,
      reason: null,
      version: 1,
      entries: 1,
      placedAt: now,
      updatedAt: now,
    }
    const placed = {
      orderId: id,
      customerId: user.id,
      lines: body.lines,
      total,
      cardToken: body.payment.cardToken,
    }
    const cause = db.cause!
    const milestone = 'confirmation' as const
    const events = {
      event: outboxRow(cause, 'order.placed', id, placed),
      deadline: outboxRow(cause, 'order.deadline-reached', id, { orderId: id, milestone }),
      deadlineMs,
    }
    const answer = json(toOrder({ ...row, deadline: null }), 201, {
      location: `/api/v1/orders/${id}`,
      etag: etag(1),
    })
    return onceInOneStatement(db, idempotencyKeys, key, answer, (kept) => placeOrder(db, row, events, kept))
  },
)

const bySku = prepared((db) =>
  db
    .select()
    .from(products)
    .where(sql`${products.sku} = any(${sql.placeholder('skus')}::text[])`)
    .prepare('prices_by_sku'),
)

/**
 * Returns the prices of SKUs from the projection. A SKU that it does not have yet is read from the
 * products domain. A SKU that does not exist or was deleted is missing from the result.
 */
async function pricesOf(db: Db, readProduct: ProductReader, skus: string[]): Promise<Map<string, Price>> {
  const rows = await bySku(db).execute({ skus: `{${skus.map((sku) => `"${sku}"`).join()}}` })
  const prices = new Map<string, Price>()
  for (const row of rows) if (row.deletedAt === null) prices.set(row.sku, row)
  const missing = new Set(skus).difference(new Set(rows.map((row) => row.sku)))
  for (const sku of missing) {
    const product = await readProduct(sku)
    // the order is rejected because of this SKU, so the rest need not be read
    if (product === undefined) break
    const { productId, name, price, version } = product
    const row = { sku, productId, name, priceAmount: price.amount, currency: price.currency, version }
    await db.insert(products).values(row).onConflictDoNothing()
    prices.set(sku, row)
  }
  return prices
}
