import { newProduct, type ProductDocument } from '../functions/products/product.ts'
import { openMongodb } from '../functions/shared/store/mongodb.ts'
import type { System } from '../local/system.ts'
import { call, cpuSeconds, memoryOf, p95, startFunction } from './harness.ts'
import type { Result } from './result.ts'

const products = 10_000
const rounds = 20

const syllables = ['ba', 'ke', 'mo', 'ri', 'tu', 'la', 'sen', 'dor', 'vik', 'pal', 'ner', 'gos']

/** Returns numbers from 0 to 1 that are the same in each run (Lehmer's generator). */
function createRandom() {
  let state = 1
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

/** Returns words as texts have them: a few are in most texts, most in a few. */
function createWords(random: () => number) {
  const any = <T>(values: readonly T[], skew = 1) => values[Math.floor(values.length * random() ** skew)]!
  const word = () => Array.from({ length: 2 + Math.floor(2.5 * random()) }, () => any(syllables)).join('')
  const words = [...new Set(Array.from({ length: 8_000 }, word))]
  return { words, text: (count: number) => Array.from({ length: count }, () => any(words, 2.5)).join(' ') }
}

const random = createRandom()
const { words, text } = createWords(random)

/** What is searched for: common words, rare ones, beginnings, typos, filters, facets and sorts. */
const searches = [
  '',
  'facets=true',
  `q=${words[0]}`,
  `q=${words[0]}&facets=true`,
  `q=${words[0]}+${words[3]}&facets=true`,
  `q=${words[1]!.slice(0, 2)}&sort=price`,
  `q=${words[6_000]}&facets=true`,
  `q=${words[40]!.replace(/.$/, 'x')}&facets=true`,
  'category=category-7&attribute=colour:blue&facets=true',
  'currency=EUR&minPrice=1000&maxPrice=5000&sort=-price',
  'sort=name&limit=100',
]

/** Measures searches in a shop with 10,000 products, one after the other, beside those in the small shop. */
export async function search(system: System): Promise<Result[]> {
  const small = await measure(system)
  await fill(system.environment.ofFunction('list-products')['MONGODB_URL']!)
  const large = await measure(system)
  const ms = (value: number) => `${value.toFixed(1)} ms`
  return [
    {
      what: 'search among 10,000 products, p95',
      ours: ms(large.p95),
      against:
        `${ms(small.p95)} in the small shop; CPU ${ms(large.cpu)} and ${ms(small.cpu)} a search; ` +
        `${(large.mib - small.mib).toFixed(0)} MiB more; first of a process ${ms(large.first)}`,
      ratio: `${(large.p95 / small.p95).toFixed(2)} ×`,
      goal: '≤ 50 ms',
      met: large.p95 <= 50,
    },
  ]
}

interface Measured {
  /** The first search of a process, in ms. */
  first: number
  p95: number
  /** The CPU time of the process for a search, in ms. */
  cpu: number
  /** The memory of the process (PSS). */
  mib: number
}

async function measure(system: System): Promise<Measured> {
  const instance = startFunction(system, 'list-products')
  await instance.ready
  const pid = instance.pid!
  const time = async (query: string) => {
    const began = performance.now()
    const { status, text } = await call(`http://127.0.0.1:${instance.port}/api/v1/products?${query}`)
    if (status !== 200) throw new Error(`${query}: ${status} ${text}`)
    return performance.now() - began
  }
  try {
    const first = await time('')
    for (const query of searches) await time(query)
    const times: number[] = []
    const before = cpuSeconds(pid)
    for (let round = 0; round < rounds; round++) for (const query of searches) times.push(await time(query))
    const cpu = (1_000 * (cpuSeconds(pid) - before)) / times.length
    return { first, p95: p95(times), cpu, mib: memoryOf([pid]).pss }
  } finally {
    await instance.stop()
  }
}

/** Adds the products as if they had been there for a while, without events. */
async function fill(url: string): Promise<void> {
  const { db, close } = openMongodb(url, { silentMs: 120_000 })
  const at = new Date(Date.now() - 3_600_000)
  const one = (n: number): ProductDocument => {
    const product = newProduct(
      {
        sku: `SEARCHED-${n}`,
        name: text(3),
        description: text(15),
        category: `category-${n % 40}`,
        price: { amount: Math.floor(20_000 * random()), currency: 'EUR' },
        attributes: { colour: ['blue', 'red', 'green'][n % 3]!, volumeMl: (n % 10) * 50, maker: text(1) },
      },
      '01999d3c-7b57-7d0c-8d1c-5a9f1c2b3d4e',
    )
    return { ...product, updatedAt: at, stock: { availability: 'available', version: 1, at }, outbox: [] }
  }
  try {
    const documents = db.collection<ProductDocument>('products')
    for (let n = 0; n < products; n += 250)
      await documents.insertMany(Array.from({ length: 250 }, (_, i) => one(n + i)))
  } finally {
    await close()
  }
}
