import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import type { AddressInfo } from 'node:net'
import { shopClient } from '../demo/client/shop.ts'
import { createActivator } from '../local/activator/activator.ts'
import { nodeFlags } from '../local/processes.ts'
import type { System } from '../local/system.ts'
import { load, median, root } from './harness.ts'
import type { Result } from './result.ts'

const rounds = 5
const seconds = 4

/**
 * Measures requests per second of get-product and of a raw server with the same query, in turn. Both are one process
 * behind the same activator.
 */
export async function getProduct(system: System): Promise<Result[]> {
  const { data } = await shopClient(system.url).GET('/products', { params: { query: { limit: 1 } } })
  const { id } = data!.items[0]!
  const env = { PATH: process.env['PATH'], ...system.environment.ofFunction('get-product') }
  const scripts: Record<string, string> = {
    'get-product': join(system.dist, 'functions/main.js'),
    raw: join(root, 'bench/raw/get-product.js'),
  }
  const row = { concurrency: 50, minScale: 1, maxScale: 1 }
  const activator = createActivator({
    functions: Object.keys(scripts).map((name) => ({ name, ...row })),
    spawn: (name) => ({ command: process.execPath, args: [...nodeFlags, scripts[name]!], env }),
  })
  const server = createServer(activator.handleInternal)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const rates: { ours: number[]; raw: number[] } = { ours: [], raw: [] }
  try {
    await activator.warm(Object.keys(scripts))
    for (let round = 0; round <= rounds; round++) {
      const ours = await load(`${url}/get-product/api/v1/products/${id}`, seconds)
      const raw = await load(`${url}/raw/${id}`, seconds)
      if (round === 0) continue
      rates.ours.push(ours)
      rates.raw.push(raw)
    }
  } finally {
    await activator.close()
    server.close()
    server.closeAllConnections()
  }
  const ratio = median(rates.ours) / median(rates.raw)
  return [
    {
      what: 'get-product, behind the activator',
      ours: `${median(rates.ours).toFixed(0)}/s`,
      against: `${median(rates.raw).toFixed(0)}/s raw node:http + mongodb, behind the same`,
      ratio: `${ratio.toFixed(2)} ×`,
      goal: '≥ 0.8 ×',
      met: ratio >= 0.8,
    },
  ]
}
