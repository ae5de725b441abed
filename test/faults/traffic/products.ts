import { randomUUID } from 'node:crypto'
import { good } from '../../../demo/client/good.ts'
import { newOrder } from '../../../demo/client/orders.ts'
import type { Change } from './change.ts'
import type { Orders } from './orders.ts'
import { at, skus, withKey, type Scene } from './scene.ts'

/** Receives stock, and adds, changes and withdraws products. */
export function createProducts(
  { random, staff, seller, insist, promised, prices }: Scene,
  { place, decide }: Orders,
  change: Change,
) {
  async function receive(sku: string, quantity: number) {
    const params = { path: { sku }, ...withKey() }
    const body = { quantity, reason: 'received' } as const
    const { adjustment } = await good(
      insist('stock', () => staff.POST('/stock/{sku}/adjustments', { params, body })),
    )
    promised.adjustments.set(adjustment.id, adjustment)
  }

  async function addProduct(key?: string) {
    const sku = `FAULT-${randomUUID().slice(0, 8).toUpperCase()}`
    const body = {
      sku,
      name: `Thing ${sku}`,
      description: 'Made while something failed',
      category: 'faults',
      price: { amount: 100 + random.below(900), currency: 'EUR' },
    }
    const params = withKey(key)
    const product = await good(insist('a product', () => seller.POST('/products', { params, body })))
    promised.products.set(product.id, product)
    prices.set(sku, product.price)
    return product
  }

  /** Adds a product with a new SKU, and receives stock of it. */
  async function newSku(units: number): Promise<string> {
    const { sku } = await addProduct()
    await receive(sku, units)
    return sku
  }

  /** Adds a product and sells it at once. Adds another product, changes it and withdraws it. */
  async function offer() {
    const sku = await newSku(5)
    await place(undefined, newOrder([{ sku, quantity: 1 }]))
    const { id, name } = await addProduct()
    await change(
      () => seller.GET('/products/{id}', at(id)),
      (header) =>
        seller.PATCH('/products/{id}', { params: { path: { id }, header }, body: { name: `${name}, new` } }),
    )
    const { response } = await insist('a withdrawal', () => seller.DELETE('/products/{id}', at(id)))
    // a 404 means that an earlier attempt succeeded, and its response was lost
    if (response.status !== 204 && response.status !== 404) return
    promised.products.delete(id)
    promised.versions.delete(id)
    promised.withdrawn.add(id)
  }

  /** Sells more of a product than there is. Each customer says what becomes of the order then. */
  async function sellOut() {
    const sku = await newSku(2)
    const asking = []
    for (const onShortage of ['partial', 'ask', 'cancel', 'ask'] as const) {
      const lines = [
        { sku, quantity: 1 + random.below(3) },
        { sku: random.pick(skus), quantity: 1 },
      ]
      const order = await place(undefined, { ...newOrder(lines), onShortage })
      if (onShortage === 'ask') asking.push(order)
    }
    for (const order of asking) await decide(order)
    await receive(sku, 1 + random.below(4))
  }

  return { receive, addProduct, newSku, offer, sellOut }
}
