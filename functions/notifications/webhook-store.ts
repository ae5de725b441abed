import { and, eq, isNull } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import type { EmitOptions } from '../../events/emit.ts'
import type { User } from '../shared/auth/access-token.ts'
import { Problem } from '../shared/http/problems.ts'
import { isAmong, type Db, type Tx } from '../shared/store/postgres.ts'
import { floorOf, keptMs, webhookEndpoints, type EndpointRow, type WebhookType } from './webhook.ts'

const isOf = (id: string, { id: userId }: User) =>
  and(eq(webhookEndpoints.id, id), eq(webhookEndpoints.userId, userId))

/** Reads an endpoint of the user. @throws Problem 404 if the user has no such endpoint; nobody sees those of others */
export async function readEndpoint(db: Db, id: string, user: User): Promise<EndpointRow> {
  const [row] = await db.select().from(webhookEndpoints).where(isOf(id, user))
  if (row === undefined) throw noEndpoint()
  return row
}

/** Does the same, and locks its row until the transaction ends. */
export async function lockEndpoint(
  tx: Tx,
  id: string,
  user: User,
  missing: () => Problem = noEndpoint,
): Promise<EndpointRow> {
  const [row] = await tx.select().from(webhookEndpoints).where(isOf(id, user)).for('update')
  if (row === undefined) throw missing()
  return row
}

const noEndpoint = () => new Problem('not-found', { detail: 'There is no webhook endpoint with this id.' })

export const noDelivery = () =>
  new Problem('not-found', { detail: 'There is no such delivery, or it is older than 30 days.' })

/** Returns the sellers of SKUs, as far as they have endpoints. */
export async function sellersOf(tx: Tx, skus: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await tx.client<{ sku: string; sellerId: string }[]>`
    select sku, seller_id as "sellerId" from notifications.products
    where sku = any(array(select jsonb_array_elements_text(${JSON.stringify([...new Set(skus)])}::jsonb)))
      and exists (select from notifications.webhook_endpoints where user_id = seller_id)`
  return new Map(rows.map(({ sku, sellerId }) => [sku, sellerId]))
}

/** Something that the system of a seller is told. */
export interface Telling {
  sellerId: string
  eventId: string
  type: WebhookType
  at: Date
  data: object
  from: EmitOptions
}

/** Queues deliveries to the endpoints of sellers that want them, once for each event. */
export async function queueWebhooks(tx: Tx, told: readonly Telling[]): Promise<void> {
  if (told.length === 0) return
  const endpoints = await tx
    .select({ id: webhookEndpoints.id, userId: webhookEndpoints.userId, events: webhookEndpoints.events })
    .from(webhookEndpoints)
    .where(
      and(
        isAmong(
          webhookEndpoints.userId,
          told.map(({ sellerId }) => sellerId),
        ),
        isNull(webhookEndpoints.disabledAt),
      ),
    )
    .prepare('enabled_endpoints')
    .execute()
  const deliveries = told.flatMap(({ sellerId, eventId, type, at, data, from }) =>
    endpoints
      .filter(({ userId, events }) => userId === sellerId && events.includes(type))
      .map(({ id: endpointId }) => ({
        from,
        row: {
          id: uuidv7(),
          endpointId,
          eventId,
          type,
          body: JSON.stringify({ type, timestamp: at.toISOString(), data }),
        },
      })),
  )
  if (deliveries.length === 0) return
  const floor = floorOf(new Date(Date.now() - keptMs))
  await Promise.all([
    tx.client`
      insert into notifications.webhook_deliveries (id, endpoint_id, event_id, type, body, next_at)
      select id, "endpointId", "eventId", type, body, now()
      from jsonb_to_recordset(${JSON.stringify(deliveries.map(({ row }) => row))}::jsonb)
        as new (id uuid, "endpointId" uuid, "eventId" uuid, type text, body text)
      on conflict do nothing`,
    ...deliveries.map(({ row: { id }, from }) =>
      tx.emit('webhook.due', id, { deliveryId: id, attempt: 1 }, from),
    ),
    // whoever adds some removes the old ones
    tx.client`
      delete from notifications.webhook_deliveries where id in (
        select id from notifications.webhook_deliveries where id < ${floor} limit 1000 for update skip locked)`,
  ])
}
