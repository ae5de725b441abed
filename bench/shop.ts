import { openClient } from '../demo/client/client.ts'
import { good } from '../demo/client/good.ts'
import { receiveStock } from '../demo/client/stock.ts'
import { shopClient } from '../demo/client/shop.ts'
import { demoPassword } from '../local/people.ts'

/** The lines of every benchmark's orders. */
export const mug = [{ sku: 'MUG-BLUE', quantity: 1 }]

/** Receives enough stock for all benchmarks. */
export async function stockUp(url: string, password = demoPassword): Promise<void> {
  const staff = await shopClient(url).logIn({ email: 'staff@example.com', password })
  for (const { sku } of mug) await receiveStock(staff, sku, 1_000_000)
}

/** Returns the URL of one of the shop's products, or of the one with this SKU. */
export async function productUrl(url: string, sku?: string): Promise<string> {
  const query = { limit: 1, ...(sku !== undefined && { sku }) }
  const { items } = await good(openClient(url).GET('/products', { params: { query } }))
  return `${url}/api/v1/products/${items[0]!.id}`
}
