import { and, desc, eq, lt } from 'drizzle-orm'
import { operation } from '../shared/http/operation.ts'
import { page, pageOf, PageQuery, readCursor } from '../shared/http/paging.ts'
import { toEndpoint, webhookEndpoints, WebhookEndpoint } from './webhook.ts'

export const listWebhookEndpoints = operation(
  'list-webhook-endpoints',
  {
    request: { query: PageQuery },
    responses: { 200: pageOf(WebhookEndpoint, 'WebhookEndpoints') },
    headers: ['Link'],
  },
  async ({ query, user, json, hono }, { db }) => {
    const [before] = readCursor(hono, query.cursor, 'uuid') ?? []
    const rows = await db
      .select()
      .from(webhookEndpoints)
      .where(
        and(
          eq(webhookEndpoints.userId, user.id),
          before === undefined ? undefined : lt(webhookEndpoints.id, before),
        ),
      )
      .orderBy(desc(webhookEndpoints.id))
      .limit(query.limit + 1)
    return json(
      page(hono, rows.map(toEndpoint), query.limit, ({ id }) => [id]),
      200,
    )
  },
)
