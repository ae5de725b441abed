import * as z from 'zod'
import { and, asc, eq, gt, isNotNull } from 'drizzle-orm'
import { operation } from '../shared/http/operation.ts'
import { page, pageOf, PageQuery, readCursor } from '../shared/http/paging.ts'
import { isKnown, Shipment, shipments, statuses, toShipment } from './shipment.ts'
import { parcelsOf } from './store.ts'

const Query = PageQuery.extend({ status: z.enum(statuses).optional() })

/** Lists shipments, oldest orders first: those who have waited longest are first in the queue. */
export const listShipments = operation(
  'list-shipments',
  { request: { query: Query }, responses: { 200: pageOf(Shipment, 'OrderShipments') }, headers: ['Link'] },
  async ({ query, json, hono }, { db }) => {
    const [after] = readCursor(hono, query.cursor, 'uuid') ?? []
    const rows = await db
      .select()
      .from(shipments)
      .where(
        and(
          isNotNull(shipments.customerId),
          query.status && eq(shipments.status, query.status),
          // ids are the orders', which sort by the time of placement
          after === undefined ? undefined : gt(shipments.id, after),
        ),
      )
      .orderBy(asc(shipments.id))
      .limit(query.limit + 1)
    const known = rows.filter(isKnown)
    const all = Map.groupBy(
      known.length === 0
        ? []
        : await parcelsOf(
            db,
            known.map(({ id }) => id),
          ),
      ({ shipmentId }) => shipmentId,
    )
    const how = { forStaff: true, now: new Date() }
    const items = known.map((row) => toShipment(row, all.get(row.id) ?? [], how))
    return json(
      page(hono, items, query.limit, ({ id }) => [id]),
      200,
    )
  },
)
