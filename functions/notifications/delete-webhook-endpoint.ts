import { eq } from 'drizzle-orm'
import { checkVersion, ifMatch } from '../shared/http/entity-tag.ts'
import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { transaction } from '../shared/store/transaction.ts'
import { lockEndpoint } from './webhook-store.ts'
import { webhookDeliveries, webhookEndpoints } from './webhook.ts'

/** Deletes an endpoint with its deliveries. What is under way may still arrive. */
export const deleteWebhookEndpoint = operation(
  'delete-webhook-endpoint',
  {
    request: { params: IdParam },
    responses: { 204: null },
    problems: ['not-found', 'stale-version'],
  },
  async ({ params: { id }, user, empty, hono }, { db }) => {
    const wanted = hono.req.header('if-match') === undefined ? '*' : ifMatch(hono)
    await transaction(db, async (tx) => {
      checkVersion(wanted, (await lockEndpoint(tx, id, user)).version)
      await tx.delete(webhookEndpoints).where(eq(webhookEndpoints.id, id))
      await tx.delete(webhookDeliveries).where(eq(webhookDeliveries.endpointId, id))
    })
    return empty()
  },
)
