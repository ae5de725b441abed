import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { shopClient, type Person } from '../demo/client/shop.ts'
import { productOf, skuOf } from '../demo/large/dataset.ts'
import { numbers } from '../demo/large/fill.ts'
import { sendLines } from '../demo/large/lines.ts'
import type { FunctionName } from '../functions/table.ts'
import type { ScaleReport } from '../local/activator/activator.ts'
import { demoPassword } from '../local/people.ts'
import type { System } from '../local/system.ts'
import { memoryOf, startShop } from './harness.ts'
import type { Result } from './result.ts'

const most = 100_000
/** How often the memory of a function is read, in ms. */
const lookMs = 250
/** How much more memory a function may use in the second half of a transfer. */
const growth = 1.1

/**
 * Imports and exports many products, and receives stock of each, in one request each, and measures the memory of the
 * function meanwhile.
 * @param lines how many; 100,000 at most
 */
export async function transfers(lines: number): Promise<Result[]> {
  const count = Math.min(lines, most)
  const { system, stop } = await startShop()
  const { url } = system
  try {
    const who = await shopClient(url).logIn({ email: 'seller@example.com', password: demoPassword })
    const imported = await measure(system, 'import-products', count, (done) =>
      sendLines({ url, who }, '/products/import', numbers(count, productOf), done),
    )
    // few lines are read too fast to see whether memory grows
    const times = Math.ceil(most / count)
    const exported = await measure(system, 'export-products', times * count, async (done) => {
      for (let n = 0; n < times; n++) await exportAll(url, who, (now) => done(n * count + now))
    })
    await opened(who, skuOf(count - 1))
    const received = (n: number) => ({ sku: skuOf(n), quantity: 10, reason: 'received' })
    const adjusted = await measure(system, 'adjust-stocks', count, (done) =>
      sendLines({ url, who }, '/stock/adjustments', numbers(count, received), done),
    )
    return [imported, exported, adjusted]
  } finally {
    await stop()
  }
}

/** Reads all products of a seller. */
async function exportAll(url: string, who: Person, done: (count: number) => void): Promise<void> {
  const headers = { authorization: `Bearer ${await who.token()}` }
  const response = await fetch(`${url}/api/v1/products/export`, { headers })
  if (!response.ok || response.body === null) throw new Error(`the export was refused: ${response.status}`)
  let count = 0
  for await (const _ of createInterface({ input: Readable.fromWeb(response.body) })) done(++count)
}

/** Waits until the stock account of an imported product is open, which its event does. */
async function opened(who: Person, sku: string): Promise<void> {
  for (let tries = 0; tries < 6_000; tries++) {
    const { response } = await who.GET('/stock/{sku}', { params: { path: { sku } } })
    if (response.status === 200) return
    await pause(100)
  }
  throw new Error(`the stock account of ${sku} was never opened`)
}

/**
 * Measures a transfer.
 * @param transfer calls `done` with how many lines are done by now
 * @throws if it ends before all lines are done
 */
async function measure(
  system: System,
  name: FunctionName,
  count: number,
  transfer: (done: (count: number) => void) => Promise<void>,
): Promise<Result> {
  let done = 0
  const halves = { first: [] as number[], second: [] as number[] }
  const look = setInterval(() => {
    const { instances } = (system.backend.scale() as ScaleReport).functions[name]!
    const memory = memoryOf(instances.map(({ pid }) => pid!)).rss
    halves[done < count / 2 ? 'first' : 'second'].push(memory)
  }, lookMs)
  const began = performance.now()
  try {
    await transfer((now) => (done = now))
  } finally {
    clearInterval(look)
  }
  if (done < count) throw new Error(`${name} ended after ${done} of ${count} lines`)
  const seconds = (performance.now() - began) / 1000
  const [first, second] = [Math.max(...halves.first), Math.max(...halves.second)]
  return {
    what: `memory of ${name}, ${count.toLocaleString('en')} lines`,
    ours: `${second.toFixed(0)} MiB`,
    against: `${first.toFixed(0)} MiB in the first half; ${(count / seconds).toFixed(0)} lines/s`,
    ratio: `${(second / first).toFixed(2)} ×`,
    goal: `≤ ${growth} ×`,
    met: second / first <= growth,
  }
}
