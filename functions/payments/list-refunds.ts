import * as z from 'zod'
import { and, desc, eq, lt } from 'drizzle-orm'
import { operation } from '../shared/http/operation.ts'
import { page, pageOf, PageQuery, readCursor } from '../shared/http/paging.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { Refund, refunds, refundStatuses, toRefund } from './payment.ts'
import { readPayment } from './store.ts'

const Query = PageQuery.extend({ status: z.enum(refundStatuses).optional() })

/** Lists the refunds of a payment, newest first, to its customer and to staff. */
export const listRefunds = operation(
  'list-refunds',
  {
    request: { params: IdParam, query: Query },
    responses: { 200: pageOf(Refund, 'Refunds') },
    problems: ['not-found'],
    headers: ['Link'],
  },
  async ({ params, query, user, json, hono }, { db }) => {
    const [before] = readCursor(hono, query.cursor, 'uuid') ?? []
    const payment = await readPayment(db, params.id, user)
    const rows = await db
      .select()
      .from(refunds)
      .where(
        and(
          eq(refunds.paymentId, payment.id),
          query.status && eq(refunds.status, query.status),
          // ids are UUIDv7, so descending ids list the newest first
          before === undefined ? undefined : lt(refunds.id, before),
        ),
      )
      .orderBy(desc(refunds.id))
      .limit(query.limit + 1)
    const items = rows.map((row) => toRefund(row, payment.currency))
    return json(
      page(hono, items, query.limit, ({ id }) => [id]),
      200,
    )
  },
)
