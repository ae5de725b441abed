import { etag } from '../shared/http/entity-tag.ts'
import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { readEndpoint } from './webhook-store.ts'
import { toEndpoint, WebhookEndpoint } from './webhook.ts'

export const getWebhookEndpoint = operation(
  'get-webhook-endpoint',
  {
    request: { params: IdParam },
    responses: { 200: WebhookEndpoint },
    problems: ['not-found'],
    headers: ['ETag'],
  },
  async ({ params, user, json }, { db }) => {
    const row = await readEndpoint(db, params.id, user)
    return json(toEndpoint(row), 200, { etag: etag(row.version) })
  },
)
