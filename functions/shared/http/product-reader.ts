import { unavailable } from './problems.ts'
import * as z from 'zod'
import type { Config } from '../process/config.ts'
import { eventId, eventMoney, eventSku } from '../schemas/event-shapes.ts'
import { TaxClass, Weight } from '../schemas/tax-class.ts'

/** A product as other domains get it, in the same form as in its events. */
const productFacts = z.object({
  productId: eventId,
  sku: eventSku,
  name: z.string(),
  category: z.string().optional(),
  price: eventMoney,
  // earlier versions of the products domain answer with neither
  weightGrams: Weight.default(0),
  taxClass: TaxClass.default('standard'),
  sellerId: eventId,
  version: z.int().min(1),
})
export type ProductFacts = z.infer<typeof productFacts>

/** Reads a product from the products domain by SKU. Returns undefined if there is no such product. */
export type ProductReader = (sku: string) => Promise<ProductFacts | undefined>

const noProducts = (cause: unknown) =>
  unavailable('The products cannot be read just now: try again in a moment.', cause)

/**
 * Returns a reader that calls `list-products` over HTTP, for products that a projection does not have yet.
 * The reader throws a Problem 503 if the call fails.
 * @param url the address of `list-products`
 */
export function httpProductReader(url: string): ProductReader {
  return async (sku) => {
    const response = await fetch(`${url}/api/v1/products?sku=${encodeURIComponent(sku)}`, {
      signal: AbortSignal.timeout(5_000),
    }).catch((error: unknown) => {
      throw noProducts(error)
    })
    if (!response.ok) throw noProducts(`list-products returned ${response.status}`)
    // validated with `productFacts` below
    const { items } = (await response.json()) as { items: (Record<string, unknown> & { id: string })[] }
    const [item] = items
    if (item === undefined) return undefined
    const { id: productId, ...facts } = item
    return productFacts.parse({ ...facts, productId, sku })
  }
}

/** Returns a reader that calls `list-products` at its configured address. */
export const openProductReader = (config: Config): ProductReader =>
  httpProductReader(config.functionUrl('list-products'))
