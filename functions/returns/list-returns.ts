import * as z from 'zod'
import { and, desc, eq, lt } from 'drizzle-orm'
import { isStaff } from '../shared/auth/access-token.ts'
import { operation } from '../shared/http/operation.ts'
import { page, pageOf, PageQuery, readCursor } from '../shared/http/paging.ts'
import { Id } from '../shared/schemas/schemas.ts'
import { Return, returns, statuses, toReturn } from './return.ts'

const Query = PageQuery.extend({ orderId: Id.optional(), status: z.enum(statuses).optional() })

export const listReturns = operation(
  'list-returns',
  { request: { query: Query }, responses: { 200: pageOf(Return, 'Returns') }, headers: ['Link'] },
  async ({ query, user, json, hono }, { db }) => {
    const [before] = readCursor(hono, query.cursor, 'uuid') ?? []
    const rows = await db
      .select()
      .from(returns)
      .where(
        and(
          isStaff(user) ? undefined : eq(returns.customerId, user.id),
          query.orderId === undefined ? undefined : eq(returns.orderId, query.orderId),
          query.status && eq(returns.status, query.status),
          // ids are UUIDv7, so descending ids list the newest first
          before === undefined ? undefined : lt(returns.id, before),
        ),
      )
      .orderBy(desc(returns.id))
      .limit(query.limit + 1)
    return json(
      page(hono, rows.map(toReturn), query.limit, ({ id }) => [id]),
      200,
    )
  },
)
