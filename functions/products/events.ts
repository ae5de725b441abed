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

export const events = {
  'product.created': { summary: 'A product was added', data: product },
  'product.updated': { summary: 'A product was changed', data: product },
  'product.deleted': {
    summary: 'A product was taken off the shop',
    data: z.strictObject({ productId: eventId, sku: eventSku, version: z.int().min(1) }),
  },
} as const satisfies Record<string, EventSpec>
