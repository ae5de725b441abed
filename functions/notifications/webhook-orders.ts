import type { EmitOptions } from '../../events/emit.ts'
import type { EventData } from '../../events/event.ts'
import type { Telling } from './webhook-store.ts'
import type { Cancellation } from './texts.ts'
import type { WebhookType } from './webhook.ts'

/** What sellers are told about orders: each about the own lines, and nothing about the customer. */

type PlacedOrder = EventData<'order.placed'>

/** The lines of an order whose sellers have webhook endpoints. */
export interface SellerLines {
  currency: string
  /** Whether unit prices and discounts include tax. */
  prices?: PlacedOrder['prices']
  lines: (PlacedOrder['lines'][number] & { sellerId: string })[]
}

/** Something that happened to an order. */
export interface OrderNews {
  eventId: string
  type: WebhookType
  /** A string if it was kept until the order was known. */
  at: Date | string
  reason?: Cancellation | undefined
}

/**
 * Returns the lines of an order whose sellers have webhook endpoints.
 * @param sellers those sellers, by SKU
 */
export function sellerLinesOf(
  { lines, total: { currency }, prices }: Pick<PlacedOrder, 'lines' | 'total' | 'prices'>,
  sellers: ReadonlyMap<string, string>,
): SellerLines | undefined {
  const own = lines.flatMap((line) => {
    const sellerId = sellers.get(line.sku)
    return sellerId === undefined ? [] : [{ ...line, sellerId }]
  })
  return own.length === 0 ? undefined : { currency, ...(prices && { prices }), lines: own }
}

/** Returns what the sellers of an order are told about what happened to it. */
export function tellingsOf(
  orderId: string,
  { lines, ...rest }: SellerLines,
  { eventId, type, at, reason }: OrderNews,
  from: EmitOptions,
): Telling[] {
  return [...Map.groupBy(lines, ({ sellerId }) => sellerId)].map(([sellerId, own]) => ({
    sellerId,
    eventId,
    type,
    at: new Date(at),
    data: {
      orderId,
      ...(reason && { reason }),
      ...rest,
      lines: own.map((line) => ({ ...line, sellerId: undefined })),
    },
    from,
  }))
}
