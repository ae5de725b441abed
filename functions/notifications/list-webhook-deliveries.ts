import { and, desc, eq, gte, lt } from 'drizzle-orm'
import { operation } from '../shared/http/operation.ts'
import { page, pageOf, PageQuery, readCursor } from '../shared/http/paging.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { readEndpoint } from './webhook-store.ts'
import {
  DeliveryQueryStatus,
  floorOf,
  keptMs,
  toDelivery,
  webhookDeliveries,
  WebhookDelivery,
} from './webhook.ts'

const Query = PageQuery.extend({ status: DeliveryQueryStatus.optional() })

/** Lists what an endpoint was sent in the last 30 days, newest first. */
export const listWebhookDeliveries = operation(
  'list-webhook-deliveries',
  {
    request: { params: IdParam, query: Query },
    responses: { 200: pageOf(WebhookDelivery, 'WebhookDeliveries') },
    problems: ['not-found'],
    headers: ['Link'],
  },
  async ({ params, query, user, json, hono }, { db }) => {
    const [before] = readCursor(hono, query.cursor, 'uuid') ?? []
    await readEndpoint(db, params.id, user)
    const rows = await db
      .select()
      .from(webhookDeliveries)
      .where(
        and(
          eq(webhookDeliveries.endpointId, params.id),
          gte(webhookDeliveries.id, floorOf(new Date(Date.now() - keptMs))),
          query.status === undefined ? undefined : eq(webhookDeliveries.status, query.status),
          before === undefined ? undefined : lt(webhookDeliveries.id, before),
        ),
      )
      .orderBy(desc(webhookDeliveries.id))
      .limit(query.limit + 1)
    return json(
      page(hono, rows.map(toDelivery), query.limit, ({ id }) => [id]),
      200,
    )
  },
)
