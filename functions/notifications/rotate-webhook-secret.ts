import { eq } from 'drizzle-orm'
import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { transaction } from '../shared/store/transaction.ts'
import { rotated } from './webhook-secrets.ts'
import { lockEndpoint } from './webhook-store.ts'
import { webhookEndpoints, WebhookSecret } from './webhook.ts'

/** Gives an endpoint another secret. The one before signs, too, for a day. */
export const rotateWebhookSecret = operation(
  'rotate-webhook-secret',
  {
    request: { params: IdParam },
    responses: { 200: WebhookSecret },
    problems: ['not-found'],
  },
  async ({ params: { id }, user, json }, { db, webhooks }) => {
    const change = await transaction(db, async (tx) => {
      const change = rotated(await lockEndpoint(tx, id, user), new Date())
      await tx.update(webhookEndpoints).set(change).where(eq(webhookEndpoints.id, id))
      return change
    })
    const secret = webhooks.secrets.of(id, change.generation)
    return json({ secret, oldUntil: change.oldUntil.toISOString() }, 200)
  },
)
