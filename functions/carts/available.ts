import * as z from 'zod'
import { get } from '../shared/http/client.ts'

/** Returns how many are available of each of these SKUs. One that cannot be read is missing. */
export type ReadAvailable = (skus: readonly string[]) => Promise<ReadonlyMap<string, number>>

const Stock = z.object({ available: z.int().min(0) })

/**
 * Returns a reader that calls `get-stock` over HTTP.
 * @param url the address of `get-stock`
 */
export const httpAvailability =
  (url: string): ReadAvailable =>
  async (skus) => {
    const read = async (sku: string): Promise<[string, number][]> => {
      try {
        const { status, answer } = await get(`${url}/api/v1/stock/${sku}`, { headers: {}, timeoutMs: 2_000 })
        return status === 200 ? [[sku, Stock.parse(JSON.parse(answer)).available]] : []
      } catch {
        // a cart may be merged while stock is away
        return []
      }
    }
    return new Map((await Promise.all(skus.map(read))).flat())
  }
