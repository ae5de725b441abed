import { eq } from 'drizzle-orm'
import { checkVersion, etag, ifMatch } from '../shared/http/entity-tag.ts'
import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { transaction } from '../shared/store/transaction.ts'
import { lockEndpoint } from './webhook-store.ts'
import { checkUrl } from './webhook-url.ts'
import {
  changedEndpoint,
  toEndpoint,
  webhookEndpoints,
  WebhookEndpoint,
  WebhookEndpointChange,
} from './webhook.ts'

export const updateWebhookEndpoint = operation(
  'update-webhook-endpoint',
  {
    request: { params: IdParam, body: WebhookEndpointChange },
    responses: { 200: WebhookEndpoint },
    problems: ['not-found', 'stale-version', 'if-match-missing'],
    headers: ['ETag'],
  },
  async ({ params, body, user, json, hono }, { db, webhooks }) => {
    const wanted = ifMatch(hono)
    checkUrl(body.url, webhooks)
    const row = await transaction(db, async (tx) => {
      const current = await lockEndpoint(tx, params.id, user)
      checkVersion(wanted, current.version)
      const now = new Date()
      const change = {
        ...changedEndpoint(current, body, now),
        version: current.version + 1,
        updatedAt: now,
      }
      await tx.update(webhookEndpoints).set(change).where(eq(webhookEndpoints.id, current.id))
      return { ...current, ...change }
    })
    return json(toEndpoint(row), 200, { etag: etag(row.version) })
  },
)
