import { join } from 'node:path'
import { putIntoCart } from '../demo/client/carts.ts'
import { shopClient } from '../demo/client/shop.ts'
import { nodeFlags } from '../local/processes.ts'
import type { System } from '../local/system.ts'
import { cpuSeconds, load, median, root, start, startFunction } from './harness.ts'
import type { Result } from './result.ts'

const rounds = 5
const seconds = 4

/** Measures requests per second of get-cart and of a raw server with the same queries and the same flags, in turn. */
export async function getCart(system: System): Promise<Result[]> {
  const customer = await shopClient(system.url).register()
  for (const sku of ['MUG-BLUE', 'MUG-RED', 'KIT-PUNCTURE']) await putIntoCart(customer, sku, 2)
  const ours = startFunction(system, 'get-cart')
  const script = join(root, 'bench/raw/get-cart.js')
  const raw = start('raw', script, system.environment.ofFunction('get-cart'), nodeFlags)
  await Promise.all([ours.ready, raw.ready])
  const headers = { authorization: `Bearer ${await customer.token()}` }
  const measured = { rates: { ours: [] as number[], raw: [] as number[] }, cpu: [] as number[] }
  try {
    for (let round = 0; round <= rounds; round++) {
      const [oursBefore, rawBefore] = [cpuSeconds(ours.pid!), cpuSeconds(raw.pid!)]
      const a = await load(`http://127.0.0.1:${ours.port}/api/v1/carts/current`, seconds, { headers })
      const b = await load(`http://127.0.0.1:${raw.port}/${customer.user.id}`, seconds)
      if (round === 0) continue
      measured.rates.ours.push(a)
      measured.rates.raw.push(b)
      const each = (pid: number, before: number, rate: number) => (cpuSeconds(pid) - before) / rate
      measured.cpu.push(each(raw.pid!, rawBefore, b) / each(ours.pid!, oursBefore, a))
    }
  } finally {
    await Promise.all([ours.stop(), raw.stop()])
  }
  const { rates, cpu } = measured
  const ratio = median(rates.ours) / median(rates.raw)
  return [
    {
      what: 'get-cart',
      ours: `${median(rates.ours).toFixed(0)}/s`,
      against: `${median(rates.raw).toFixed(0)}/s raw node:http + mongodb; ${median(cpu).toFixed(2)} × in a CPU-second`,
      ratio: `${ratio.toFixed(2)} ×`,
      goal: '≥ 0.7 ×',
      met: ratio >= 0.7,
    },
  ]
}
