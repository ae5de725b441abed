import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { serverOptions } from '../functions/shared/process/serve.ts'
import type { Domain } from '../functions/table.ts'
import { openShop, type TestShop } from './shop.ts'

/** Opens the shop of a test file behind an HTTP server, through which its functions call one another. */
export async function openShopBehindGateway(domains: Domain[]) {
  let shop: TestShop | undefined
  const gateway = serve({
    fetch: (request) => shop!.app.fetch(request),
    hostname: '127.0.0.1',
    port: 0,
    serverOptions,
  })
  if (!gateway.listening) await once(gateway, 'listening')
  // the server listens on TCP, so this is not a pipe's name
  const { port } = gateway.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  shop = await openShop(domains, { FUNCTION_URL: url }).catch((error: unknown) => {
    gateway.close()
    throw error
  })
  const close = async () => {
    await shop.close()
    gateway.close()
  }
  return { ...shop, url, close }
}

export type GatewayShop = Awaited<ReturnType<typeof openShopBehindGateway>>
