import * as z from 'zod'
import { and, desc, eq, lt } from 'drizzle-orm'
import { isStaff } from '../shared/auth/access-token.ts'
import { operation } from '../shared/http/operation.ts'
import { page, pageOf, PageQuery, readCursor } from '../shared/http/paging.ts'
import { Id } from '../shared/schemas/schemas.ts'
import { Invoice, invoices, kinds, seriesOf, toInvoice } from './invoice.ts'
import { isOf } from './store.ts'

const Query = PageQuery.extend({
  orderId: Id.optional(),
  kind: z.enum(kinds).optional(),
  customerId: Id.optional().meta({ description: 'For staff: one customer’s invoices.' }),
})

export const listInvoices = operation(
  'list-invoices',
  { request: { query: Query }, responses: { 200: pageOf(Invoice, 'Invoices') }, headers: ['Link'] },
  async ({ query, user, json, hono }, { db }) => {
    const [before] = readCursor(hono, query.cursor, 'uuid') ?? []
    const owner = isStaff(user) ? query.customerId : user.id
    const rows = await db
      .select()
      .from(invoices)
      .where(
        and(
          owner === undefined ? undefined : isOf(owner),
          query.orderId === undefined ? undefined : eq(invoices.orderId, query.orderId),
          query.kind && eq(invoices.series, seriesOf[query.kind]),
          // ids are UUIDv7, so descending ids list the newest first
          before === undefined ? undefined : lt(invoices.id, before),
        ),
      )
      .orderBy(desc(invoices.id))
      .limit(query.limit + 1)
    return json(
      page(hono, rows.map(toInvoice), query.limit, ({ id }) => [id]),
      200,
    )
  },
)
