import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { toProduct } from '../functions/carts/prices.ts'
import type { User } from '../functions/shared/auth/access-token.ts'
import type { Domain } from '../functions/table.ts'
import { knowProducts } from './orders.ts'
import { openShop, type Answered } from './shop.ts'

/**
 * A shop whose functions call one another over HTTP. A test can cut off the answer of a function that is called, as if
 * the caller had died before it came.
 */
export async function openCartShop(domains: Domain[] = ['carts', 'coupons', 'orders']) {
  let listener: (request: IncomingMessage, response: ServerResponse) => unknown
  let cut: string | undefined
  const server = createServer((request, response) => {
    if (request.url === cut) response.writeHead = () => response.destroy()
    listener(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const shop = await openShop(domains, { FUNCTION_URL: `http://127.0.0.1:${port}` })
  listener = getRequestListener(shop.app.fetch, { overrideGlobalObjects: false })

  return {
    ...shop,
    /** Makes products known to carts and orders, at these prices. */
    sell: async (...skus: [sku: string, price: number, currency?: string][]) => {
      if (domains.includes('orders')) await knowProducts(shop, ...skus)
      for (const [sku, amount, currency = 'EUR'] of skus) {
        const facts = { sku, name: sku, price: { amount, currency }, version: 1 }
        await shop.deps('carts').products.insertOne(toProduct(facts))
      }
    },
    put: (
      sku: string,
      quantity: number,
      as?: User,
      headers: Record<string, string> = {},
    ): Promise<Answered> => shop.put(`/carts/current/items/${sku}`, { as, body: { quantity }, headers }),
    cart: (as?: User, headers: Record<string, string> = {}): Promise<Answered> =>
      shop.get('/carts/current', { as, headers }),
    /** Cuts off the answers to calls of a path while work runs. */
    cutting: async <R>(path: string, work: () => Promise<R>): Promise<R> => {
      cut = path
      try {
        return await work()
      } finally {
        cut = undefined
      }
    },
    close: async () => {
      server.close()
      server.closeAllConnections()
      await shop.close()
    },
  }
}

export type CartShop = Awaited<ReturnType<typeof openCartShop>>

/** Returns the quantities of a cart by SKU. */
export const quantitiesOf = ({ body }: Answered): Record<string, number> =>
  Object.fromEntries(
    (body.lines as { sku: string; quantity: number }[]).map(({ sku, quantity }) => [sku, quantity]),
  )
