import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import postgres from 'postgres'
import { command } from '../../local/outside.ts'
import { freePort } from '../../local/ports.ts'
import type { Startup } from '../../local/startup.ts'
import { call } from '../harness.ts'
import { type Peer, type ProductRequest, type Shop } from './peer.ts'
import { ownPostgres, production, startNode, untilReady } from './processes.ts'
import { project } from './project.ts'

const version = '2.21.2'
const dependencies = {
  '@medusajs/medusa': version,
  '@medusajs/framework': version,
  '@medusajs/cli': version,
}

/** What seed.js writes. */
type Ids = Record<'key' | 'region' | 'product' | 'option', string> & { variants: string[] }

/** Medusa with its defaults: one process, which is also the worker. */
export async function medusa(startup: Startup): Promise<Peer> {
  const folder = await project(startup, 'medusa', dependencies)
  const cli = join(folder, 'node_modules/@medusajs/cli/cli.js')
  const start = ownPostgres(startup)
  const port = await freePort()
  const secrets = { ...production(), MEDUSA_DISABLE_TELEMETRY: 'true' }
  const first = await start()
  for (const args of [
    ['db:migrate', '--skip-scripts'],
    ['exec', './seed.js'],
  ])
    await command(startup, 'Filling Medusa', folder, process.execPath, [cli, ...args], {
      ...secrets,
      DATABASE_URL: first.url,
    })
  await first.stop()
  const ids = JSON.parse(readFileSync(join(folder, 'ids.json'), 'utf8')) as Ids

  return {
    start: async () => {
      const store = await start()
      const started = startNode(startup, {
        cwd: folder,
        args: [cli, 'start', '--host', '127.0.0.1', '--port', String(port)],
        env: { ...secrets, DATABASE_URL: store.url },
        log: join(folder, 'server.log'),
      })
      const url = `http://127.0.0.1:${port}/store`
      const product: ProductRequest = {
        url: `${url}/products/${ids.product}?region_id=${ids.region}`,
        method: 'GET',
        headers: { 'x-publishable-api-key': ids.key },
      }
      await untilReady(product, [started])
      const sql = postgres(store.url, { max: 1 })
      return {
        pids: [store.pid!, started.pid],
        product,
        customer: (n) => customer(url, ids, n),
        paid: async () => {
          const [row] = await sql<[{ count: number }]>`
            select count(*)::int from order_payment_collection
            join payment_collection on payment_collection.id = payment_collection_id where status = 'authorized'`
          return row.count
        },
        stop: async () => {
          await sql.end()
          await started.stop()
          await store.stop()
        },
      } satisfies Shop
    },
  }
}

/** Returns a customer who is not logged in, which costs Medusa nothing. */
async function customer(url: string, ids: Ids, n: number): Promise<() => Promise<void>> {
  const headers = { 'content-type': 'application/json', 'x-publishable-api-key': ids.key }
  const post = async (path: string, body: object) => {
    const { status, text } = await call(`${url}/${path}`, 'POST', headers, JSON.stringify(body))
    if (status !== 200) throw new Error(`Medusa: POST ${path} returned ${status} ${text}`)
    return JSON.parse(text) as Answer
  }
  const cartOfAda = {
    region_id: ids.region,
    email: `${crypto.randomUUID()}@example.com`,
    shipping_address: {
      first_name: 'Ada',
      last_name: 'Lovelace',
      address_1: 'Werkstraße 1',
      city: 'Berlin',
      country_code: 'de',
      postal_code: '10115',
    },
    items: [{ variant_id: ids.variants[n]!, quantity: 1 }],
  }
  return async () => {
    const { cart } = await post('carts', cartOfAda)
    await post(`carts/${cart.id}/shipping-methods`, { option_id: ids.option })
    const { payment_collection: payment } = await post('payment-collections', { cart_id: cart.id })
    await post(`payment-collections/${payment.id}/payment-sessions`, { provider_id: 'pp_system_default' })
    const { type, order } = await post(`carts/${cart.id}/complete`, {})
    if (type !== 'order' || order.payment_collections[0]?.status !== 'authorized')
      throw new Error(`Medusa: the order is not paid: ${type} ${JSON.stringify(order)}`)
  }
}

interface Answer {
  cart: { id: string }
  payment_collection: { id: string }
  type: string
  order: { payment_collections: { status: string }[] }
}
