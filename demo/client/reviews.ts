import type { Client, Schemas } from './client.ts'
import { good } from './good.ts'

/** Returns the product with a SKU that the shop sells. */
export async function productWith(who: Client, sku: string): Promise<Schemas['Product']> {
  const { items } = await good(who.GET('/products', { params: { query: { sku } } }))
  const [product] = items
  if (product === undefined) throw new Error(`the shop does not sell ${sku}`)
  return product
}

/** Reviews a product. Returns the status of the answer: 409 until the shop knows that the customer has bought it. */
export const reviewProduct = async (customer: Client, id: string, body: Schemas['NewReview']) =>
  (await customer.POST('/products/{id}/reviews', { params: { path: { id } }, body })).response.status
