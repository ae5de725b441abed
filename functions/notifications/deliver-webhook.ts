import { eq, getTableColumns, sql } from 'drizzle-orm'
import { batchReaction } from '../../events/reaction.ts'
import { signing } from '../../events/signature.ts'
import { isAmong, prepared, type Tx } from '../shared/store/postgres.ts'
import { NotAnswered, postPublic, type Outside } from './public-post.ts'
import { notify } from './store.ts'
import type { WebhookSecrets } from './webhook-secrets.ts'
import {
  afterAttempt,
  failureOf,
  healthAfter,
  webhookDeliveries,
  webhookEndpoints,
  type Attempted,
  type DeliveryRow,
  type EndpointRow,
} from './webhook.ts'

/**
 * How many deliveries to an endpoint a process has under way. Others wait for a moment, in ms, so that an endpoint that
 * does not answer holds up none but its own.
 */
const atOnce = 4
const momentMs = 5_000

/** What an event has led to. */
type Outcome = Attempted | 'not due' | 'busy' | 'disabled'

const byId = prepared((db) =>
  db
    .select({ delivery: getTableColumns(webhookDeliveries), endpoint: getTableColumns(webhookEndpoints) })
    .from(webhookDeliveries)
    .innerJoin(webhookEndpoints, eq(webhookEndpoints.id, webhookDeliveries.endpointId))
    .where(eq(webhookDeliveries.id, sql.placeholder('id')))
    .prepare('delivery_and_endpoint'),
)

/** Whether an attempt is still to be made: it was not, and neither was the delivery replayed. */
const isDue = ({ status, attempts }: DeliveryRow, attempt: number) =>
  status === 'pending' && attempts === attempt - 1

export const deliverWebhook = batchReaction('deliver-webhook', {
  prepare: async ({ data: { deliveryId: id, attempt } }, { db, webhooks }): Promise<Outcome> => {
    const [found] = await byId(db).execute({ id })
    // the endpoint may be deleted
    if (found === undefined || !isDue(found.delivery, attempt)) return 'not due'
    const { delivery, endpoint } = found
    if (endpoint.disabledAt !== null) return 'disabled'
    const { sending } = webhooks
    const underWay = sending.get(endpoint.id) ?? 0
    if (underWay >= atOnce) return 'busy'
    sending.set(endpoint.id, underWay + 1)
    try {
      return await send(delivery, endpoint, webhooks)
    } finally {
      const left = sending.get(endpoint.id)! - 1
      if (left === 0) sending.delete(endpoint.id)
      else sending.set(endpoint.id, left)
    }
  },
  write: async (tx, events, outcomes) => {
    const rows = await tx
      .select()
      .from(webhookDeliveries)
      .where(
        isAmong(
          webhookDeliveries.id,
          events.flatMap(({ data }, i) => (outcomes[i] === 'not due' ? [] : data.deliveryId)),
        ),
      )
      .orderBy(webhookDeliveries.id)
      .for('update')
      .prepare('lock_webhook_deliveries')
      .execute()
    const locked = new Map(rows.map((row) => [row.id, row]))
    const due = events.flatMap((event, i) => {
      const row = locked.get(event.data.deliveryId)
      return row !== undefined && isDue(row, event.data.attempt)
        ? [{ row, event, outcome: outcomes[i]!, from: { causedBy: { traceparent: event.traceparent } } }]
        : []
    })
    const steps = due.map(({ outcome, ...one }) => ({ ...one, ...stepAfter(one.row, outcome) }))
    await Promise.all([
      writeDeliveries(
        tx,
        steps.flatMap(({ row, change }) => (change === undefined ? [] : { ...row, ...change })),
      ),
      ...steps.map(
        ({ row: { id }, next, from }) =>
          next &&
          tx.emit(
            'webhook.due',
            id,
            { deliveryId: id, attempt: next.attempt },
            { ...from, afterMs: next.ms },
          ),
      ),
    ])
    await checkHealth(
      tx,
      due.flatMap(({ row, event, outcome }) =>
        typeof outcome === 'string' ? [] : { row, attempted: outcome, eventId: event.id, at: event.time },
      ),
    )
  },
})

/** Makes an attempt. */
async function send(
  { id, body }: DeliveryRow,
  endpoint: EndpointRow,
  { secrets, ...outside }: Outside & { secrets: WebhookSecrets },
): Promise<Attempted> {
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Zeroshop-Webhooks/1',
    ...signing(secrets.signing(endpoint, new Date()))(id, body),
  }
  try {
    return { answered: await postPublic(endpoint.url, { headers, body }, outside) }
  } catch (error) {
    if (error instanceof NotAnswered) return { error: error.message }
    throw error
  }
}

interface StepAfter {
  /** What changes of the delivery. */
  change?: Pick<DeliveryRow, 'status' | 'attempts' | 'answered' | 'error' | 'nextAt'>
  /** The next attempt, and in how many ms it is made. */
  next?: { attempt: number; ms: number }
}

function stepAfter(row: DeliveryRow, outcome: Outcome): StepAfter {
  if (outcome === 'not due') return {}
  if (outcome === 'busy') return { next: { attempt: row.attempts + 1, ms: momentMs } }
  if (outcome === 'disabled')
    return { change: { ...row, status: 'failed', error: 'the endpoint is disabled', nextAt: null } }
  const { pauseMs, ...after } = afterAttempt(row, outcome)
  return {
    change: {
      ...after,
      answered: 'answered' in outcome ? outcome.answered : null,
      error: failureOf(outcome) ?? null,
      nextAt: pauseMs === undefined ? null : new Date(Date.now() + pauseMs),
    },
    ...(pauseMs === undefined ? {} : { next: { attempt: after.attempts + 1, ms: pauseMs } }),
  }
}

async function writeDeliveries(tx: Tx, changed: readonly DeliveryRow[]): Promise<void> {
  if (changed.length > 0)
    await tx.client`
      update notifications.webhook_deliveries as row
      set status = new.status, attempts = new.attempts, answered = new.answered, error = new.error,
        next_at = new."nextAt", updated_at = now()
      from jsonb_to_recordset(${JSON.stringify(changed)}::jsonb) as new (
        id uuid, status text, attempts integer, answered integer, error text, "nextAt" timestamptz)
      where row.id = new.id`
}

/** An attempt that was made, and the event that it is of. */
interface Made {
  row: DeliveryRow
  attempted: Attempted
  eventId: string
  at: Date
}

/** Keeps since when endpoints fail. One that fails for days, or wants no more, is disabled, and its owner is told. */
async function checkHealth(tx: Tx, made: readonly Made[]): Promise<void> {
  if (made.length === 0) return
  const ofEndpoint = Map.groupBy(made, ({ row }) => row.endpointId)
  const endpoints = await tx
    .select()
    .from(webhookEndpoints)
    .where(isAmong(webhookEndpoints.id, [...ofEndpoint.keys()]))
    .orderBy(webhookEndpoints.id)
    .for('update')
    .prepare('lock_webhook_endpoints')
    .execute()
  for (const endpoint of endpoints) {
    const [first, ...others] = ofEndpoint.get(endpoint.id)!
    const attempts = [first!, ...others].map(({ attempted }) => attempted)
    const { failingSince, disabledBecause } = healthAfter(endpoint, attempts, new Date())
    const isDisabled = disabledBecause !== undefined && endpoint.disabledAt === null
    if (failingSince?.getTime() === endpoint.failingSince?.getTime() && !isDisabled) continue
    const disabling = {
      disabledAt: sql`now()`,
      disabledBecause,
      version: endpoint.version + 1,
      updatedAt: sql`now()`,
    }
    await tx
      .update(webhookEndpoints)
      .set({ failingSince, ...(isDisabled ? disabling : {}) })
      .where(eq(webhookEndpoints.id, endpoint.id))
    if (isDisabled)
      await notify(tx, endpoint.userId, {
        eventId: first!.eventId,
        kind: 'webhook-disabled',
        facts: { url: endpoint.url },
        orderId: null,
        at: first!.at,
      })
  }
}
