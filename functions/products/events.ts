import * as z from 'zod'
import type { EventSpec } from '../shared/domain.ts'
import { eventId, eventMoney, eventSku } from '../shared/schemas/event-shapes.ts'
import { TaxClass, Weight } from '../shared/schemas/tax-class.ts'

const product = z.strictObject({
  productId: eventId,
  sku: eventSku,
  name: z.string(),
  price: eventMoney,
  /** Events of earlier versions do not have these: no weight, and `standard` then. */
  category: z.string().exactOptional(),
  weightGrams: Weight.exactOptional(),
  taxClass: TaxClass.exactOptional(),
  sellerId: eventId,
  /** Increases with each change, so that consumers can ignore an older version. */
  version: z.int().min(1),
})

/** Why staff remove a review. A closed list, because events contain no text that a person has written. */
export const removalReasons = ['abusive', 'off-topic', 'personal-data', 'spam', 'unlawful'] as const
export type RemovalReason = (typeof removalReasons)[number]

const stars = z.strictObject({
  reviewId: eventId,
  productId: eventId,
  stars: z.int().min(1).max(5),
  /** The review’s. */
  version: z.int().min(1),
})

export const events = {
  'product.created': { summary: 'A product was added', data: product },
  'product.updated': { summary: 'A product was changed', data: product },
  'product.deleted': {
    summary: 'A product was taken off the shop',
    data: z.strictObject({ productId: eventId, sku: eventSku, version: z.int().min(1) }),
  },
  'review.created': { summary: 'A customer has reviewed a product', data: stars },
  'review.updated': { summary: 'A customer has changed their review', data: stars },
  'review.deleted': {
    summary: 'A review was withdrawn by its author, or removed by staff, who say why',
    data: stars.omit({ stars: true }).extend({ reason: z.enum(removalReasons).exactOptional() }),
  },
} as const satisfies Record<string, EventSpec>
