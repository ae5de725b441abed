import * as z from 'zod'
import { and, desc, eq, isNotNull, lt } from 'drizzle-orm'
import { isStaff } from '../shared/auth/access-token.ts'
import { operation } from '../shared/http/operation.ts'
import { page, pageOf, PageQuery, readCursor } from '../shared/http/paging.ts'
import { Id } from '../shared/schemas/schemas.ts'
import { isPayment, Payment, payments, statuses, toPayment } from './payment.ts'

const Query = PageQuery.extend({ orderId: Id.optional(), status: z.enum(statuses).optional() })

export const listPayments = operation(
  'list-payments',
  { request: { query: Query }, responses: { 200: pageOf(Payment, 'Payments') }, headers: ['Link'] },
  async ({ query, user, json, hono }, { db }) => {
    const [before] = readCursor(hono, query.cursor, 'uuid') ?? []
    const rows = await db
      .select()
      .from(payments)
      .where(
        and(
          isStaff(user) ? isNotNull(payments.customerId) : eq(payments.customerId, user.id),
          query.orderId === undefined ? undefined : eq(payments.orderId, query.orderId),
          query.status && eq(payments.status, query.status),
          // ids are UUIDv7, so descending ids list the newest first
          before === undefined ? undefined : lt(payments.id, before),
        ),
      )
      .orderBy(desc(payments.id))
      .limit(query.limit + 1)
    const items = rows.filter(isPayment).map(toPayment)
    return json(
      page(hono, items, query.limit, ({ id }) => [id]),
      200,
    )
  },
)
