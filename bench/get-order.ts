import { join } from 'node:path'
import type { System } from '../local/system.ts'
import { json, load, median, root, start, startFunction } from './harness.ts'
import { customer, newOrder } from './people.ts'
import type { Result } from './result.ts'

const rounds = 5
const seconds = 4

/** Requests a second of get-order, and of a raw server that runs the same query, in turn. */
export async function getOrder(system: System): Promise<Result[]> {
  const token = await customer(system)
  const { id } = await json<{ id: string }>(`${system.url}/api/v1/orders`, 'POST', token, newOrder())
  const ours = startFunction(system, 'get-order')
  const raw = start('raw', join(root, 'bench/raw/get-order.js'), {
    DATABASE_URL: system.environment.database('orders'),
  })
  await Promise.all([ours.ready, raw.ready])
  const headers = { authorization: `Bearer ${token}` }
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
