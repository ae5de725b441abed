import * as z from 'zod'
import { and, asc, eq, gt } from 'drizzle-orm'
import { operation } from '../shared/http/operation.ts'
import { page, pageOf, PageQuery, readCursor } from '../shared/http/paging.ts'
import { shippingBases, ShippingMethod, shippingMethods } from './tariff.ts'

const Query = PageQuery.extend({ basis: z.enum(shippingBases).optional() })

export const listShippingMethods = operation(
  'list-shipping-methods',
  {
    request: { query: Query },
    responses: { 200: pageOf(ShippingMethod, 'ShippingMethods') },
    headers: ['Link'],
  },
  async ({ query, json, hono }, { db }) => {
    const [after] = readCursor(hono, query.cursor, 'string') ?? []
    const rows = await db
      .select()
      .from(shippingMethods)
      .where(
        and(
          query.basis && eq(shippingMethods.basis, query.basis),
          after === undefined ? undefined : gt(shippingMethods.id, after),
        ),
      )
      .orderBy(asc(shippingMethods.id))
      .limit(query.limit + 1)
    return json(
      page(hono, rows, query.limit, ({ id }) => [id]),
      200,
    )
  },
)
