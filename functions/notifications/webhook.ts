import * as z from 'zod'
import { index, integer, jsonb, text, unique, uuid } from 'drizzle-orm/pg-core'
import { changeOf, Id, text as Text, Timestamp } from '../shared/schemas/schemas.ts'
import { time } from '../shared/store/columns.ts'
import { schema } from './notification.ts'

/** Webhooks to sellers' systems: tables, schemas and rules. Everything here is pure. */

/** The events that a seller's system can be told, each as far as it concerns the seller. */
export const webhookTypes = [
  'order.placed',
  'order.confirmed',
  'order.shipped',
  'order.completed',
  'order.cancelled',
  'stock.low',
] as const
export type WebhookType = (typeof webhookTypes)[number]

/** Why an endpoint is disabled. */
export type Disabled = 'request' | 'failing' | 'gone'

export const webhookEndpoints = schema.table(
  'webhook_endpoints',
  {
    id: uuid().primaryKey(),
    userId: uuid('user_id').notNull(),
    url: text().notNull(),
    events: jsonb().$type<WebhookType[]>().notNull(),
    description: text(),
    /** Which of its secrets it has: see webhook-secrets.ts. */
    generation: integer().notNull().default(1),
    /** The oldest that signs, too, until `oldUntil`. */
    oldGeneration: integer('old_generation').notNull().default(1),
    oldUntil: time('old_until'),
    /** Since when no delivery has succeeded, if the last one failed. */
    failingSince: time('failing_since'),
    disabledAt: time('disabled_at'),
    disabledBecause: text('disabled_because').$type<Disabled>(),
    version: integer().notNull().default(1),
    createdAt: time('created_at').notNull().defaultNow(),
    updatedAt: time('updated_at').notNull().defaultNow(),
  },
  (t) => [index('webhook_endpoints_of_user').on(t.userId, t.id)],
)

export type EndpointRow = typeof webhookEndpoints.$inferSelect

const deliveryStatuses = ['pending', 'delivered', 'failed'] as const
export type DeliveryStatus = (typeof deliveryStatuses)[number]

/** What endpoints are sent. Ids are UUIDv7, so old ones are found by their ids. */
export const webhookDeliveries = schema.table(
  'webhook_deliveries',
  {
    id: uuid().primaryKey(),
    endpointId: uuid('endpoint_id').notNull(),
    eventId: uuid('event_id').notNull(),
    type: text().$type<WebhookType>().notNull(),
    /** The same bytes in each attempt. */
    body: text().notNull(),
    status: text().$type<DeliveryStatus>().notNull().default('pending'),
    attempts: integer().notNull().default(0),
    /** The attempts before it was sent anew on request: the pauses begin again. */
    attemptsBefore: integer('attempts_before').notNull().default(0),
    /** The HTTP status of the last answer. */
    answered: integer(),
    error: text(),
    nextAt: time('next_at'),
    createdAt: time('created_at').notNull().defaultNow(),
    updatedAt: time('updated_at').notNull().defaultNow(),
  },
  (t) => [
    unique('webhook_deliveries_once').on(t.endpointId, t.eventId),
    index('webhook_deliveries_of_endpoint').on(t.endpointId, t.id),
  ],
)

export type DeliveryRow = typeof webhookDeliveries.$inferSelect

/** A projection of the products: who sells each. */
export const products = schema.table(
  'products',
  {
    sku: text().primaryKey(),
    /** Null if only its end is known. A product that is gone keeps its seller, whom its last orders concern. */
    sellerId: uuid('seller_id'),
    version: integer().notNull(),
  },
  (t) => [index('products_of_seller').on(t.sellerId)],
)

/** The most endpoints of a user. */
export const maxEndpoints = 10

const Url = z
  .string()
  .max(2_000)
  .regex(/^[Hh][Tt][Tt][Pp][Ss]?:\/\/\S+$/, 'an https URL')
  .meta({
    description: 'On the public internet, with https, on the port 443 or 8443.',
    example: 'https://example.com/webhooks',
  })
const Events = z
  .array(z.enum(webhookTypes))
  .min(1)
  .max(webhookTypes.length)
  .refine((types) => new Set(types).size === types.length, 'each only once')
  .meta({ uniqueItems: true, description: 'Of which events it is told.' })
const Description = Text(200)

export const WebhookEndpoint = z
  .object({
    id: Id,
    url: z.string(),
    events: z.array(z.enum(webhookTypes)),
    description: z.string().nullable(),
    status: z.enum(['enabled', 'disabled']),
    disabledBecause: z.enum(['request', 'failing', 'gone']).nullable().meta({
      description:
        '`request`: you have disabled it. `failing`: no delivery has succeeded for days. `gone`: it answered 410.',
    }),
    failingSince: Timestamp.nullable().meta({
      description: 'Since when no delivery has succeeded, if the last one failed.',
    }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
    secret: z.string().optional().meta({
      description: 'Signs the deliveries (Standard Webhooks). It is shown only when the endpoint is added.',
    }),
  })
  .meta({ id: 'WebhookEndpoint' })
export type WebhookEndpoint = z.infer<typeof WebhookEndpoint>

export const NewWebhookEndpoint = z
  .strictObject({ url: Url, events: Events, description: Description.optional() })
  .meta({ id: 'NewWebhookEndpoint' })

export const WebhookEndpointChange = changeOf(
  {
    url: Url.optional(),
    events: Events.optional(),
    description: Description.nullable().optional(),
    status: z.enum(['enabled', 'disabled']).optional(),
  },
  'WebhookEndpointChange',
)
export type WebhookEndpointChange = z.output<typeof WebhookEndpointChange>

export const WebhookSecret = z
  .object({
    secret: z.string().meta({ description: 'It is not shown again.' }),
    oldUntil: Timestamp.meta({ description: 'Until when the secret before signs, too.' }),
  })
  .meta({ id: 'WebhookSecret' })

export const WebhookDelivery = z
  .object({
    id: Id.meta({ description: 'The webhook-id of each attempt.' }),
    type: z.enum(webhookTypes),
    status: z.enum(deliveryStatuses),
    attempts: z.int().min(0),
    answered: z
      .int()
      .nullable()
      .meta({ description: 'The HTTP status of the last answer, if there was one.' }),
    error: z.string().nullable().meta({ description: 'Why the last attempt failed.' }),
    nextAt: Timestamp.nullable().meta({ description: 'When it is tried again.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'WebhookDelivery' })
export type WebhookDelivery = z.infer<typeof WebhookDelivery>

export const DeliveryQueryStatus = z.enum(deliveryStatuses)
export const DeliveryParams = z.object({ id: Id, deliveryId: Id })

/** Converts a row to the API's endpoint. */
export const toEndpoint = (row: EndpointRow): WebhookEndpoint => ({
  id: row.id,
  url: row.url,
  events: row.events,
  description: row.description,
  status: row.disabledAt === null ? 'enabled' : 'disabled',
  disabledBecause: row.disabledBecause,
  failingSince: row.failingSince?.toISOString() ?? null,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})

/** Converts a row to the API's delivery. */
export const toDelivery = (row: DeliveryRow): WebhookDelivery => ({
  id: row.id,
  type: row.type,
  status: row.status,
  attempts: row.attempts,
  answered: row.answered,
  error: row.error,
  nextAt: row.nextAt?.toISOString() ?? null,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})

/** Returns what changes of an endpoint. A URL that is new, or enabled again, has not failed yet. */
export function changedEndpoint(
  row: EndpointRow,
  { status, ...rest }: WebhookEndpointChange,
  now: Date,
): Partial<EndpointRow> {
  const isDisabled = row.disabledAt !== null
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)),
    ...(rest.url !== undefined && rest.url !== row.url ? { failingSince: null } : {}),
    ...(status === 'enabled' && isDisabled
      ? { disabledAt: null, disabledBecause: null, failingSince: null }
      : {}),
    ...(status === 'disabled' && !isDisabled ? { disabledAt: now, disabledBecause: 'request' } : {}),
  }
}

const [second, minute, hour] = [1_000, 60_000, 3_600_000]

/** The pauses after the attempts that fail, in ms. The last attempt is some two days after the first. */
export const pausesMs: readonly number[] = [
  5 * second,
  30 * second,
  2 * minute,
  10 * minute,
  hour,
  3 * hour,
  8 * hour,
  12 * hour,
  24 * hour,
]

/** How long an endpoint may fail before it is disabled, in ms. */
export const failingMs = 5 * 24 * hour

/** How long deliveries are kept, in ms. */
export const keptMs = 30 * 24 * hour

/** What came of an attempt: the HTTP status, or why there was none. */
export type Attempted = { answered: number } | { error: string }

/** Returns why an attempt failed, or undefined if the endpoint has taken the delivery. */
export function failureOf(attempted: Attempted): string | undefined {
  if ('error' in attempted) return attempted.error
  const { answered } = attempted
  if (answered >= 200 && answered < 300) return undefined
  return answered >= 300 && answered < 400
    ? `it answered ${answered}, and redirects are not followed`
    : `it answered ${answered}`
}

/** Whether the endpoint says that it wants no more deliveries (RFC 9110, 15.5.11). */
export const isGone = (attempted: Attempted) => 'answered' in attempted && attempted.answered === 410

/** Returns what becomes of a delivery after an attempt. */
export function afterAttempt(
  { attempts, attemptsBefore }: Pick<DeliveryRow, 'attempts' | 'attemptsBefore'>,
  attempted: Attempted,
): { status: DeliveryStatus; attempts: number; pauseMs: number | undefined } {
  const count = attempts + 1
  if (failureOf(attempted) === undefined) return { status: 'delivered', attempts: count, pauseMs: undefined }
  const pauseMs = isGone(attempted) ? undefined : pausesMs[attempts - attemptsBefore]
  return { status: pauseMs === undefined ? 'failed' : 'pending', attempts: count, pauseMs }
}

/** Returns what becomes of an endpoint after attempts to deliver. */
export function healthAfter(
  { failingSince }: Pick<EndpointRow, 'failingSince'>,
  attempts: readonly Attempted[],
  now: Date,
): { failingSince: Date | null; disabledBecause?: Disabled } {
  if (attempts.some(isGone)) return { failingSince: failingSince ?? now, disabledBecause: 'gone' }
  if (attempts.some((one) => failureOf(one) === undefined)) return { failingSince: null }
  const since = failingSince ?? now
  return now.getTime() - since.getTime() >= failingMs
    ? { failingSince: since, disabledBecause: 'failing' }
    : { failingSince: since }
}

/** The smallest UUIDv7 of a time. */
export const floorOf = (time: Date): string => {
  const hex = time.getTime().toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`
}
