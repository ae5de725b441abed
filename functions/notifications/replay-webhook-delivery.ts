import { and, eq } from 'drizzle-orm'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { transaction } from '../shared/store/transaction.ts'
import { problems } from './problems.ts'
import { lockEndpoint, noDelivery } from './webhook-store.ts'
import { DeliveryParams, toDelivery, webhookDeliveries, WebhookDelivery } from './webhook.ts'

/**
 * Sends a delivery again, with the same webhook-id, by which its receiver knows it. If it waits for its next attempt, that
 * is made now.
 */
export const replayWebhookDelivery = operation(
  'replay-webhook-delivery',
  {
    request: { params: DeliveryParams },
    responses: { 200: WebhookDelivery },
    problems: ['not-found', problems['webhook-endpoint-disabled']],
  },
  async ({ params: { id, deliveryId }, user, json }, { db }) => {
    const row = await transaction(db, async (tx) => {
      const endpoint = await lockEndpoint(tx, id, user, noDelivery)
      const [delivery] = await tx
        .select()
        .from(webhookDeliveries)
        .where(and(eq(webhookDeliveries.id, deliveryId), eq(webhookDeliveries.endpointId, id)))
        .for('update')
      if (delivery === undefined) throw noDelivery()
      if (endpoint.disabledAt !== null)
        throw new Problem(problems['webhook-endpoint-disabled'], {
          detail: 'Enable the endpoint first: PATCH it with the status enabled.',
        })
      const now = new Date()
      const change = {
        status: 'pending' as const,
        attemptsBefore: delivery.attempts,
        nextAt: now,
        updatedAt: now,
      }
      await Promise.all([
        tx.update(webhookDeliveries).set(change).where(eq(webhookDeliveries.id, deliveryId)),
        tx.emit('webhook.due', deliveryId, { deliveryId, attempt: delivery.attempts + 1 }),
      ])
      return { ...delivery, ...change }
    })
    return json(toDelivery(row), 200)
  },
)
