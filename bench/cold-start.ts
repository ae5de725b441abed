import { join } from 'node:path'
import type { Instance } from '../local/activator/instance.ts'
import type { System } from '../local/system.ts'
import { call, median, root, start, startFunction } from './harness.ts'
import { productUrl } from './shop.ts'
import type { Result } from './result.ts'

const rounds = 15

/** Times from process start to the first 200, for functions and a bare node:http server in turn. */
export async function coldStart(system: System): Promise<Result[]> {
  const product = new URL(await productUrl(system.url)).pathname
  const contenders = {
    bare: () => first200(start('bare', join(root, 'bench/raw/http.js')), '/'),
    'get-product': () => first200(startFunction(system, 'get-product'), product),
    'get-jwks': () => first200(startFunction(system, 'get-jwks'), '/.well-known/jwks.json'),
    'get-stock': () => first200(startFunction(system, 'get-stock'), '/api/v1/stock/MUG-BLUE'),
    'reserve-stock': () => first200(startFunction(system, 'reserve-stock'), '/health/liveness'),
  }
  const times: Record<string, number[]> = {}
  // the first round fills the compile cache
  for (let round = 0; round <= rounds; round++)
    for (const [name, run] of Object.entries(contenders)) {
      const ms = await run()
      if (round > 0) (times[name] ??= []).push(ms)
    }
  const against = median(times['bare']!)
  return Object.entries(times)
    .filter(([name]) => name !== 'bare')
    .map(([name, ms]) => {
      const goal = name === 'get-product' ? 1.8 : 1.5
      return {
        what: `start of ${name} to first 200`,
        ours: `${median(ms).toFixed(0)} ms`,
        against: `${against.toFixed(0)} ms bare node:http`,
        ratio: `${(median(ms) / against).toFixed(2)} ×`,
        goal: `≤ ${goal} ×`,
        met: median(ms) <= goal * against,
      }
    })
}

async function first200(instance: Instance, path: string): Promise<number> {
  const began = instance.startedAt.getTime()
  await instance.ready
  const { status } = await call(`http://127.0.0.1:${instance.port}${path}`, 'GET', { connection: 'close' })
  const ms = Date.now() - began
  await instance.stop()
  if (status !== 200) throw new Error(`${path} returned ${status}`)
  return ms
}
