import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import postgres from 'postgres'
import { freePort } from '../../local/ports.ts'
import type { Startup } from '../../local/startup.ts'
import { temporaryDataDir } from '../../local/stores/temporary.ts'
import { root } from '../harness.ts'
import { look, placer } from '../orders.ts'
import { productUrl, stockUp } from '../shop.ts'
import { sku, type Peer, type ProductRequest, type Shop } from './peer.ts'
import { startNode, untilReady } from './processes.ts'

/** What `npm start` runs, with its embedded stores. */
export async function zeroshop(startup: Startup): Promise<Peer> {
  const { dataDir, remove } = temporaryDataDir()
  startup.onStop(remove)
  const port = await freePort()
  const url = `http://localhost:${port}`
  // never a store that someone else runs
  const ownStores = { DATABASE_URL: undefined, MONGODB_URL: undefined, NATS_URL: undefined }
  const run = async (request: ProductRequest) => {
    const started = startNode(startup, {
      cwd: root,
      args: ['local/commands/start.ts'],
      // requests are counted as usual, but none is refused
      env: { ...process.env, ...ownStores, DATA_DIR: dataDir, PORT: String(port), LIMITS_FACTOR: '1000' },
      log: join(dataDir, 'start.log'),
    })
    await untilReady(request, [started])
    return started
  }
  const get = (of: string): ProductRequest => ({ url: of, method: 'GET', headers: {} })

  const first = await run(get(`${url}/api/v1/products?sku=${sku}`))
  await stockUp(url)
  const product = get(await productUrl(url, sku))
  await first.stop()

  return {
    start: async () => {
      const started = await run(product)
      const urls = JSON.parse(readFileSync(join(dataDir, 'running.json'), 'utf8')) as { orders: string }
      const sql = postgres(urls.orders, { max: 1 })
      const waiting = new Map<string, () => void>()
      const looking = look(sql, waiting)
      return {
        pids: [started.pid],
        product,
        customer: async () => {
          const place = await placer({ url })
          return async () => {
            const id = await place()
            await new Promise<void>((resolve) => waiting.set(id, resolve))
          }
        },
        paid: async () => {
          const [row] = await sql<[{ count: number }]>`
            select count(*)::int from orders.orders where status = 'confirmed'`
          return row.count
        },
        stop: async () => {
          await looking.stop()
          await sql.end()
          await started.stop()
        },
      } satisfies Shop
    },
  }
}
