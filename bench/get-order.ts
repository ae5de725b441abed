import { join } from 'node:path'
import { placeOrder } from '../demo/client/orders.ts'
import { shopClient } from '../demo/client/shop.ts'
import type { System } from '../local/system.ts'
import { load, median, root, start, startFunction } from './harness.ts'
import { mug } from './shop.ts'
import type { Result } from './result.ts'

const rounds = 5
const seconds = 4

/** Measures requests per second of get-order and of a raw server with the same query, in turn. */
export async function getOrder(system: System): Promise<Result[]> {
  const customer = await shopClient(system.url).register()
  const { id } = await placeOrder(customer, mug)
  const ours = startFunction(system, 'get-order')
  const raw = start('raw', join(root, 'bench/raw/get-order.js'), {
    DATABASE_URL: system.environment.database('orders'),
  })
  await Promise.all([ours.ready, raw.ready])
  const headers = { authorization: `Bearer ${await customer.token()}` }
  const rates: { ours: number[]; raw: number[] } = { ours: [], raw: [] }
  try {
    for (let round = 0; round <= rounds; round++) {
      const a = await load(`http://127.0.0.1:${ours.port}/api/v1/orders/${id}`, seconds, { headers })
      const b = await load(`http://127.0.0.1:${raw.port}/${id}`, seconds)
      if (round === 0) continue
      rates.ours.push(a)
      rates.raw.push(b)
    }
  } finally {
    await Promise.all([ours.stop(), raw.stop()])
  }
  const ratio = median(rates.ours) / median(rates.raw)
  return [
    {
      what: 'get-order',
      ours: `${median(rates.ours).toFixed(0)}/s`,
      against: `${median(rates.raw).toFixed(0)}/s raw node:http + postgres.js`,
      ratio: `${ratio.toFixed(2)} ×`,
      goal: '≥ 0.7 ×',
      met: ratio >= 0.7,
    },
  ]
}
