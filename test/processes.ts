import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { HTTP } from 'cloudevents'
import { uuidv7 } from 'uuidv7'
import { expect } from 'vitest'
import { toCloudEvent } from './cloud-event.ts'
import { databaseUrl } from '../functions/deployment.ts'
import { databaseRoles, reactingDomains } from '../functions/table.ts'
import { deliveryKeysSetting } from '../functions/shared/process/config.ts'
import { bundle } from '../images/bundle.ts'
import { deliveryHeaders, deliveryKey } from './deliveries.ts'
import { openShop } from './shop.ts'

export type Environment = Record<string, string>
export type Processes = Awaited<ReturnType<typeof openProcesses>>
type Started = ReturnType<Processes['start']>

/** A folder for each worker of vitest, so that none overwrites what another one runs. */
const dist = join(
  import.meta.dirname,
  `../node_modules/.cache/zeroshop/test-dist-${process.env['VITEST_POOL_ID']}`,
)
let bundled: Promise<unknown> | undefined

/** The entry of every container (functions/main.ts), bundled as there, in processes of their own beside a shop. */
export async function openProcesses() {
  bundled ??= bundle(dist)
  await bundled
  const shop = await openShop(['orders', 'stock', 'products'])
  const { d: _, ...publicKey } = shop.privateKey
  const running = new Set<Started>()

  function start(env: Environment) {
    const child = spawn(process.execPath, [join(dist, 'functions/main.js')], {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const exited = once(child, 'exit') as Promise<[code: number | null, signal: string | null]>
    const [out, err] = [text(child.stdout!), text(child.stderr!)]
    const port = once(child, 'message').then(([message]) => (message as { listening: number }).listening)
    const started = { child, exited, out, err, port }
    running.add(started)
    return started
  }

  return {
    shop,
    /** Settings with which get-order starts. */
    good: {
      FUNCTION: 'get-order',
      HOST: '127.0.0.1',
      PORT: '0',
      DATABASE_URL: shop.database('orders'),
      FUNCTION_URL: 'http://127.0.0.1:9/{function}',
      STORE_WAIT_SECONDS: '0.1',
      SECOND_FACTOR_KEY: 'a key for second factors that is long enough',
      STREAM_TICKET_KEY: 'a key for tickets that is long enough',
      JWT_PUBLIC_KEYS: JSON.stringify({ keys: [publicKey] }),
      DELIVERY_KEYS: deliveryKey,
      // for the dispatcher
      ...Object.fromEntries(reactingDomains.map((domain) => [deliveryKeysSetting(domain), deliveryKey])),
    } satisfies Environment,
    /** The settings of the migration of the shop's stores. */
    migration: {
      FUNCTION: 'migrate',
      ADMIN_DATABASE_URL: shop.admin,
      ...Object.fromEntries(databaseRoles.map((role) => [databaseUrl(role), shop.database(role)])),
      PRODUCTS_MONGODB_URL: shop.mongodb,
      CARTS_MONGODB_URL: shop.mongodbOf('carts'),
    } satisfies Environment,
    start,
    /** Starts a process that must refuse to start: it prints one line, which is returned, and exits with 1. */
    refusal: async (env: Environment): Promise<string> => {
      const { exited, out, err } = start(env)
      const [[code], said, why] = await Promise.all([exited, out, err])
      expect({ code, said, why }).toEqual({
        code: 1,
        said: '',
        why: expect.stringMatching(/^zeroshop: [^\n]+\n$/) as string,
      })
      return why.slice('zeroshop: '.length, -1)
    },
    /** Kills what a test has left running. */
    killAll: () => {
      for (const { child } of running) child.kill('SIGKILL')
      running.clear()
    },
    close: () => shop.close(),
  }
}

export async function answerOf(request: ClientRequest) {
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}

/** The delivery of `product.created`, as the dispatcher sends it. */
export function productCreated(sku: string): { headers: Record<string, string>; body: string } {
  const product = { productId: uuidv7(), sku, name: 'Mug', sellerId: uuidv7(), version: 1 }
  const { body } = HTTP.structured(
    toCloudEvent({
      id: uuidv7(),
      type: 'product.created',
      source: '/products',
      subject: sku,
      time: new Date(),
      data: { ...product, price: { amount: 900, currency: 'EUR' } },
    }),
  )
  return { headers: deliveryHeaders(String(body)), body: String(body) }
}
