import * as z from 'zod'
import { and, asc, desc, eq, gt, lt } from 'drizzle-orm'
import { isStaff } from '../shared/auth/access-token.ts'
import { operation } from '../shared/http/operation.ts'
import { page, pageOf, PageQuery, readCursor } from '../shared/http/paging.ts'
import { Id } from '../shared/schemas/schemas.ts'
import { Order, orders, statuses, toOrder } from './order.ts'

const Query = PageQuery.extend({
  status: z.enum(statuses).optional(),
  customerId: Id.optional().meta({ description: 'For staff: one customer’s orders.' }),
  sort: z.enum(['newest', 'oldest']).default('newest'),
})

export const listOrders = operation(
  'list-orders',
  { request: { query: Query }, responses: { 200: pageOf(Order, 'Orders') }, headers: ['Link'] },
  async ({ query, user, json, hono }, { db }) => {
    const after = readCursor(hono, query.cursor, 'uuid')?.[0]
    const [order, beyond] = query.sort === 'newest' ? [desc, lt] : [asc, gt]
    const owner = isStaff(user) ? query.customerId : user.id
    const rows = await db
      .select()
      .from(orders)
      .where(
        and(
          owner === undefined ? undefined : eq(orders.customerId, owner),
          query.status && eq(orders.status, query.status),
          // ids are UUIDv7, so they sort by the time of placement
          after === undefined ? undefined : beyond(orders.id, after),
        ),
      )
      .orderBy(order(orders.id))
      .limit(query.limit + 1)
    return json(
      page(hono, rows.map(toOrder), query.limit, ({ id }) => [id]),
      200,
    )
  },
)
