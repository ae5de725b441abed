import { count, eq } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { etag } from '../shared/http/entity-tag.ts'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { once } from '../shared/store/transaction.ts'
import { idempotencyKeys } from './notification.ts'
import { problems } from './problems.ts'
import { checkUrl } from './webhook-url.ts'
import { maxEndpoints, NewWebhookEndpoint, toEndpoint, webhookEndpoints, WebhookEndpoint } from './webhook.ts'

export const createWebhookEndpoint = operation(
  'create-webhook-endpoint',
  {
    request: { body: NewWebhookEndpoint },
    responses: { 201: WebhookEndpoint },
    problems: [problems['too-many-webhook-endpoints']],
    headers: ['ETag', 'Location'],
  },
  async ({ body, user, key, json }, { db, webhooks }) => {
    checkUrl(body.url, webhooks)
    const kept = await once(db, idempotencyKeys, key, async (tx) => {
      await tx.client`select pg_advisory_xact_lock(hashtextextended(${`webhook endpoints ${user.id}`}, 0))`
      const [has] = await tx
        .select({ count: count() })
        .from(webhookEndpoints)
        .where(eq(webhookEndpoints.userId, user.id))
      if (has!.count >= maxEndpoints)
        throw new Problem(problems['too-many-webhook-endpoints'], {
          detail: `You have ${maxEndpoints} webhook endpoints, which is the most: delete one first.`,
        })
      const [row] = await tx
        .insert(webhookEndpoints)
        .values({ ...body, id: uuidv7(), userId: user.id })
        .returning()
      return json(toEndpoint(row!), 201, {
        etag: etag(row!.version),
        location: `/api/v1/webhook-endpoints/${row!.id}`,
      })
    })
    // the answer that is kept does not contain the secret
    const endpoint = (await kept.json()) as WebhookEndpoint
    return json(
      { ...endpoint, secret: webhooks.secrets.of(endpoint.id, 1) },
      201,
      Object.fromEntries(kept.headers),
    )
  },
)
