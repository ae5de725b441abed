import type { Startup } from '../../local/startup.ts'

/** What the description of the product contains in every system. */
export const sku = 'MUG-BLUE'

/**
 * Installs a system if it is not installed yet, and fills new stores with one product, of which there is enough for all.
 * @param startup stops what was started, and removes the stores
 */
export type Prepare = (startup: Startup) => Promise<Peer>

export interface Peer {
  /** Starts the stores and the system. Resolves once it has answered the request for the product. */
  start: () => Promise<Shop>
}

/** A system that runs. */
export interface Shop {
  /** Its processes. All that they have started belong to it, too. */
  pids: number[]
  /** The request that reads the product. */
  product: ProductRequest
  /**
   * Returns a new customer: a function that buys one piece, and resolves once the order is paid.
   * @param n the customer's number, from 0 to 31
   */
  customer: (n: number) => Promise<() => Promise<void>>
  /** Counts the paid orders in its database. */
  paid: () => Promise<number>
  stop: () => Promise<void>
}

export interface ProductRequest {
  url: string
  method: 'GET' | 'POST'
  headers: Record<string, string>
  body?: string
}
