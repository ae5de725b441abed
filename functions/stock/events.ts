import * as z from 'zod'
import type { EventSpec } from '../shared/domain.ts'
import type { Meter } from '../shared/telemetry/telemetry.ts'
import { eventId, eventMoney, eventSku, ofOrder, oldCardToken } from '../shared/schemas/event-shapes.ts'
import { availabilities } from './availability.ts'

const shortages = z
  .array(z.strictObject({ sku: eventSku, requested: z.int(), available: z.int().min(0) }))
  .min(1)

const shortagesFound = ({ shortages }: { shortages: unknown[] }, meter: Meter) =>
  meter.add('zeroshop.stock.shortages', shortages.length)

export const events = {
  'stock.reserved': {
    summary: 'Every line of the order is reserved',
    data: z.strictObject({
      orderId: eventId,
      customerId: eventId,
      total: eventMoney,
      cardToken: oldCardToken,
    }),
  },
  'stock.rejected': {
    summary: 'A line is larger than the stock: nothing is reserved',
    data: z.strictObject({ orderId: eventId, shortages }),
    measure: shortagesFound,
  },
  'stock.partly-reserved': {
    summary:
      'Some of the order is missing: the rest of it, so many as are available of each SKU, is reserved',
    data: z.strictObject({ orderId: eventId, shortages }),
    measure: shortagesFound,
  },
  'stock.released': { summary: 'The reservation was given back', data: ofOrder },
  'stock.availability-changed': {
    summary: 'A SKU has become available, low or unavailable',
    data: z.strictObject({
      sku: eventSku,
      availability: z.enum(availabilities),
      /** Increases with each change, so that consumers can ignore an older version. */
      version: z.int().min(1),
    }),
  },
  'stock.low': {
    summary: 'No more of a SKU are available than its threshold',
    data: z.strictObject({ sku: eventSku, available: z.int().min(0), threshold: z.int().min(0) }),
  },
  'stock.committed': { summary: 'The reservation was turned into a sale', data: ofOrder },
} as const satisfies Record<string, EventSpec>
