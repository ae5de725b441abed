import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import {
  Agent,
  createServer,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
} from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { HTTP } from 'cloudevents'
import postgres from 'postgres'
import { uuidv7 } from 'uuidv7'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { toCloudEvent } from '../events/cloud-event.ts'
import { bundle } from '../images/bundle.ts'
import { openLink } from '../test/link.ts'
import { knowProducts, place } from '../test/orders.ts'
import { openShop, type TestShop } from '../test/shop.ts'
import type { Order } from './orders/order.ts'
import journal from './orders/migrations/meta/_journal.json' with { type: 'json' }

/** Tests the entry point of every container, bundled as in an image, in its own process. */

type Environment = Record<string, string>

/** The version of the orders' schema. */
const ordersVersion = journal.entries.length

const root = join(import.meta.dirname, '..')
const dist = join(root, 'node_modules/.cache/zeroshop/test-dist')
/** Less than the time after which a stopping process cuts off open requests. */
const graceMs = 6_000
const nowhere = 'postgres://orders:x@127.0.0.1:9/none'

let shop: TestShop
let folder: string
/** Valid settings for get-order. */
let good: Environment

beforeAll(async () => {
  await bundle(dist)
  folder = mkdtempSync(join(root, 'node_modules/.cache/zeroshop/test-'))
  shop = await openShop(['orders', 'stock', 'products'])
  await knowProducts(shop, ['MUG', 900])
  const { d: _, ...publicKey } = shop.privateKey
  good = {
    FUNCTION: 'get-order',
    HOST: '127.0.0.1',
    PORT: '0',
    DATABASE_URL: shop.database('orders'),
    FUNCTION_URL: 'http://127.0.0.1:9/{function}',
    STORE_WAIT_SECONDS: '0.1',
    JWT_PUBLIC_KEYS: JSON.stringify({ keys: [publicKey] }),
  }
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await shop.close()
})

const running = new Set<ReturnType<typeof start>>()
afterEach(() => {
  for (const { child } of running) child.kill('SIGKILL')
  running.clear()
})

function start(env: Environment) {
  const child = spawn(process.execPath, [join(dist, 'functions/main.js')], {
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: join(dist, 'cache'), ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const exited = once(child, 'exit') as Promise<[code: number | null, signal: string | null]>
  const [out, err] = [text(child.stdout!), text(child.stderr!)]
  const port = once(child, 'message').then(([message]) => (message as { listening: number }).listening)
  const started = { child, exited, out, err, port }
  running.add(started)
  return started
}

/** Starts a process that must fail. Returns its exit code and output. */
async function failure(env: Environment) {
  const { exited, out, err } = start(env)
  const [code] = await exited
  return { code, out: await out, err: await err }
}

describe('starting a process', () => {
  const without = (...names: string[]) =>
    Object.fromEntries(Object.entries(good).filter(([name]) => !names.includes(name)))

  const cases: [what: string, env: () => Environment, says: string | RegExp][] = [
    [
      'without a function',
      () => without('FUNCTION'),
      'FUNCTION is not set: it is the function to serve, as its domain.ts names it. Set it, or FUNCTION_FILE.',
    ],
    [
      'with an unknown function',
      () => ({ ...good, FUNCTION: 'get-everything' }),
      /^FUNCTION=get-everything: there is no such function here\. Set it to one of: .*get-order, .*orders, .*reserve-stock, .*relay, dispatcher, payment-sandbox, migrate\.$/,
    ],
    [
      'with a function named like a JavaScript property',
      () => ({ ...good, FUNCTION: 'constructor' }),
      /^FUNCTION=constructor: there is no such function here\./,
    ],
    [
      'without its database',
      () => without('DATABASE_URL'),
      'DATABASE_URL is not set: it is the PostgreSQL database, with the role of the domain. Set it, or DATABASE_URL_FILE.',
    ],
    [
      'with an empty setting',
      () => ({ ...good, DATABASE_URL: '' }),
      'DATABASE_URL is not set: it is the PostgreSQL database, with the role of the domain. Set it, or DATABASE_URL_FILE.',
    ],
    [
      'with an invalid database URL',
      () => ({ ...good, DATABASE_URL: 'secret' }),
      'DATABASE_URL is not a URL: it is the PostgreSQL database, with the role of the domain. Set it to scheme://user:password@host:port/path, with %2F for a / in the password, and so on.',
    ],
    [
      'with a password that is not percent-encoded',
      () => ({ ...good, DATABASE_URL: 'postgres://orders:s3cr/et@127.0.0.1:9/none' }),
      /^DATABASE_URL is not a URL: [^3]*$/,
    ],
    [
      'with a password that is badly encoded',
      () => ({ ...good, DATABASE_URL: 'postgres://orders:s3cr%zz@127.0.0.1:9/none' }),
      /^DATABASE_URL is not a URL: [^3]*$/,
    ],
    [
      'with unknown MongoDB options',
      () => ({
        ...good,
        FUNCTION: 'get-product',
        MONGODB_URL: 'mongodb://products:s3cret@127.0.0.1:9/x?no=1',
      }),
      'MONGODB_URL cannot be used: it is the MongoDB database, with the user of the domain. MongoDB’s driver says: option no is not supported.',
    ],
    [
      'without the keys of access tokens',
      () => without('JWT_PUBLIC_KEYS'),
      'JWT_PUBLIC_KEYS is not set: it is the keys that verify access tokens, as a JWK set. Set it, or JWT_PUBLIC_KEYS_FILE.',
    ],
    [
      'with keys that are not JSON',
      () => ({ ...good, JWT_PUBLIC_KEYS: '{' }),
      'JWT_PUBLIC_KEYS cannot be used: set it to the keys that verify access tokens, as a JWK set.',
    ],
    [
      'with an invalid JWK set',
      () => ({ ...good, JWT_PUBLIC_KEYS: '{"keys":1}' }),
      'JWT_PUBLIC_KEYS cannot be used: set it to the keys that verify access tokens, as a JWK set.',
    ],
    [
      'without the signing key',
      () => ({ ...good, FUNCTION: 'log-in' }),
      'JWT_PRIVATE_KEY is not set: it is the Ed25519 key that signs access tokens, as a JWK. Set it, or JWT_PRIVATE_KEY_FILE.',
    ],
    [
      'with a key that cannot sign',
      () => ({ ...good, FUNCTION: 'log-in', JWT_PRIVATE_KEY: '{"kty":"OKP"}' }),
      'JWT_PRIVATE_KEY cannot be used: set it to the Ed25519 key that signs access tokens, as a JWK.',
    ],
    [
      'with a secret that is not mounted',
      () => ({ ...without('DATABASE_URL'), DATABASE_URL_FILE: '/run/secrets/none' }),
      'DATABASE_URL_FILE: cannot read /run/secrets/none (ENOENT). Mount the secret there.',
    ],
    [
      'with a secret that is empty',
      () => ({ ...without('DATABASE_URL'), DATABASE_URL_FILE: '/dev/null' }),
      'DATABASE_URL_FILE: /dev/null is empty. Put there the PostgreSQL database, with the role of the domain.',
    ],
    [
      'with a secret that is a folder',
      () => ({ ...good, JWT_PUBLIC_KEYS_FILE: '/tmp' }),
      'JWT_PUBLIC_KEYS_FILE: cannot read /tmp (EISDIR). Mount the secret there.',
    ],
    [
      'with an invalid port',
      () => ({ ...good, PORT: '70000' }),
      'PORT=70000: set it to a whole number from 0 to 65535.',
    ],
    [
      'with an address of another machine',
      () => ({ ...good, HOST: '192.0.2.1' }),
      'HOST is not an address of this machine. Set it to one, or leave it out.',
    ],
    [
      'with an unknown log level',
      () => ({ ...good, LOG_LEVEL: 'loud' }),
      'LOG_LEVEL=loud: set it to trace, debug, info, warn or error.',
    ],
    [
      'with an invalid duration',
      () => ({ ...good, ORDER_DEADLINE_SECONDS: 'soon' }),
      'ORDER_DEADLINE_SECONDS=soon: it is how long an order may wait for stock and payment; 900 if it is not set. Set it to a number above 0.',
    ],
    [
      'with the settings of another store',
      () => ({ ...good, FUNCTION: 'get-product' }),
      'MONGODB_URL is not set: it is the MongoDB database, with the user of the domain. Set it, or MONGODB_URL_FILE.',
    ],
    [
      'without the payment provider',
      () => ({ ...good, FUNCTION: 'authorize-payment' }),
      'PAYMENT_PROVIDER_URL is not set: it is the address of the payment provider. Set it, or PAYMENT_PROVIDER_URL_FILE.',
    ],
    [
      'without the broker',
      () => ({ ...good, FUNCTION: 'dispatcher' }),
      'NATS_URL is not set: it is the NATS server with JetStream. Set it, or NATS_URL_FILE.',
    ],
    [
      'with invalid retry delays',
      () => ({ ...good, FUNCTION: 'dispatcher', RETRY_DELAYS_SECONDS: '1,x' }),
      'RETRY_DELAYS_SECONDS=1,x: set it to seconds such as 1,5,30.',
    ],
  ]
  const storeCases: [what: string, env: () => Environment, says: string | RegExp][] = [
    [
      'while PostgreSQL does not answer',
      () => ({ ...good, DATABASE_URL: nowhere }),
      'DATABASE_URL: PostgreSQL cannot be used (ECONNREFUSED). Start it, or set DATABASE_URL to where it answers.',
    ],
    [
      'if PostgreSQL rejects the password',
      () => ({ ...good, DATABASE_URL: shop.database('orders').replace(':test@', ':tset@') }),
      'DATABASE_URL: PostgreSQL cannot be used (it refuses the role or its password). Start it, or set DATABASE_URL to where it answers.',
    ],
    [
      'while MongoDB does not answer',
      () => ({ ...good, FUNCTION: 'get-product', MONGODB_URL: 'mongodb://127.0.0.1:9/none' }),
      /^MONGODB_URL: MongoDB cannot be used \(.+\)\. Start it, or set MONGODB_URL to where it answers\.$/,
    ],
    [
      'while NATS does not answer',
      () => ({
        ...good,
        FUNCTION: 'dispatcher',
        DATABASE_URL: shop.database('events'),
        NATS_URL: 'nats://127.0.0.1:9',
      }),
      'NATS_URL: NATS cannot be used (CONNECTION_REFUSED). Start it, or set NATS_URL to where it answers.',
    ],
    [
      'on a PostgreSQL database that was never migrated',
      () => ({ ...good, DATABASE_URL: shop.database('orders').replace(/[^/]+$/, 'postgres') }),
      `The orders data in PostgreSQL is older than this code (version 0 of ${ordersVersion}). Run the migration first (FUNCTION=migrate).`,
    ],
    [
      'on a MongoDB database that was never migrated',
      () => ({ ...good, FUNCTION: 'get-product', MONGODB_URL: shop.mongodb.replace(/[^/]+$/, 'none') }),
      `The products data in MongoDB is older than this code (version 0 of 1). Run the migration first (FUNCTION=migrate).`,
    ],
    [
      'to migrate with the URL of the wrong role',
      () => ({ ...migration(), USERS_DATABASE_URL: shop.database('stock') }),
      'USERS_DATABASE_URL does not log in as the role users with a password. Set it to postgres://users:…@host/database.',
    ],
    [
      'to migrate while PostgreSQL does not answer',
      () => ({ ...migration(), ADMIN_DATABASE_URL: nowhere }),
      'PostgreSQL cannot be migrated (ECONNREFUSED). Fix the cause and run the migration again.',
    ],
    [
      'to migrate as a role without the rights',
      () => ({ ...migration(), ADMIN_DATABASE_URL: shop.database('orders') }),
      'The role in ADMIN_DATABASE_URL may not create roles and schemas. Use one that may.',
    ],
  ]
  const migration = () => ({
    FUNCTION: 'migrate',
    ADMIN_DATABASE_URL: shop.admin,
    USERS_DATABASE_URL: shop.database('users'),
    STOCK_DATABASE_URL: shop.database('stock'),
    ORDERS_DATABASE_URL: shop.database('orders'),
    PAYMENTS_DATABASE_URL: shop.database('payments'),
    EVENTS_DATABASE_URL: shop.database('events'),
    PRODUCTS_MONGODB_URL: shop.mongodb,
  })
  it.each([...cases, ...storeCases])('%s prints one line and exits with 1', async (_, env, says) => {
    const { code, out, err } = await failure(env())
    expect({ code, out, lines: err.split('\n').length }).toEqual({ code: 1, out: '', lines: 2 })
    const said = err.trimEnd().replace(/^zeroshop: /, '')
    expect(`zeroshop: ${said}\n`).toBe(err)
    if (typeof says === 'string') expect(said).toBe(says)
    else expect(said).toMatch(says)
  })

  it('fails on data with a breaking migration by a newer Zeroshop, also to migrate', async () => {
    const sql = postgres(shop.admin, { max: 1 })
    const newer = ordersVersion + 1
    await sql`update drizzle.versions set version = ${newer}, oldest = ${newer} where domain = 'orders'`
    for (const env of [good, migration()])
      expect(await failure(env)).toEqual({
        code: 1,
        out: '',
        err: `zeroshop: The orders data in PostgreSQL was migrated by a newer Zeroshop (version ${newer}), which this code (version ${ordersVersion}) cannot use. Run version ${newer} or newer, or use another database.\n`,
      })
    await sql`update drizzle.versions set version = ${ordersVersion}, oldest = 0 where domain = 'orders'`
    await sql.end()
  })

  it('works on data that a newer Zeroshop has only added to, and leaves it unchanged', async () => {
    const sql = postgres(shop.admin, { max: 1 })
    const newer = { version: ordersVersion + 1, oldest: 0 }
    await sql`update drizzle.versions set version = ${newer.version} where domain = 'orders'`
    expect(await start(migration()).exited).toEqual([0, null])
    expect(await start(good).port).toBeGreaterThan(0)
    expect(await sql`select version, oldest from drizzle.versions where domain = 'orders'`).toEqual([newer])
    await sql`update drizzle.versions set version = ${ordersVersion} where domain = 'orders'`
    await sql.end()
  })

  it('waits for the migration of its domain', async () => {
    const sql = postgres(shop.admin, { max: 1 })
    await sql`update drizzle.versions set version = 0 where domain = 'orders'`
    const { port, exited } = start({ ...good, STORE_WAIT_SECONDS: '30' })
    const first = await Promise.race([port, exited, pause(1_000, 'waits')])
    expect(first).toBe('waits')
    await sql`update drizzle.versions set version = ${ordersVersion} where domain = 'orders'`
    expect(await port).toBeGreaterThan(0)
    await sql.end()
  })

  it('can migrate repeatedly and concurrently', async () => {
    const both = [migration(), migration()].map((env) => start(env).exited)
    expect(await Promise.all(both)).toEqual([
      [0, null],
      [0, null],
    ])
  })

  it('prints one line and exits with 1 if the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    // the server listens on TCP, so this is not a pipe's name
    const { port } = other.address() as AddressInfo
    for (const FUNCTION of ['get-order', 'reserve-stock'])
      expect(await failure({ ...good, FUNCTION, PORT: String(port) })).toEqual({
        code: 1,
        out: '',
        err: `zeroshop: PORT=${port} is in use. Set it to a free one.\n`,
      })
    other.close()
  })
})

const answerOf = async (request: ClientRequest) => {
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}

describe('a running process', () => {
  const health = async (port: number, what: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/health/${what}`)
    return [response.status, response.headers.get('content-type'), await response.text()]
  }
  const ok = [200, 'application/json', '{"status":"ok"}']

  it.each(['get-order', 'reserve-stock'])('is alive and ready with its store: %s', async (FUNCTION) => {
    const port = await start({ ...good, FUNCTION }).port
    expect(await health(port, 'liveness')).toEqual(ok)
    expect(await health(port, 'readiness')).toEqual(ok)
  })

  it.each([
    ['get-order', 'DATABASE_URL', () => shop.database('orders')],
    ['reserve-stock', 'DATABASE_URL', () => shop.database('stock')],
    ['get-product', 'MONGODB_URL', () => shop.mongodb],
  ] as const)('is alive, but not ready, without its store: %s', async (FUNCTION, setting, url) => {
    const link = await openLink(url())
    const port = await start({ ...good, FUNCTION, [setting]: link.url, LOG_LEVEL: 'silent' }).port
    expect(await health(port, 'readiness')).toEqual(ok)
    link.cut()
    expect(await health(port, 'liveness')).toEqual(ok)
    expect(await health(port, 'readiness')).toEqual([503, 'application/json', '{"status":"unavailable"}'])
  })

  it('returns a problem if its store cannot be reached, and logs the cause without secrets', async () => {
    const link = await openLink(shop.database('orders'))
    const { port, child, out } = start({ ...good, DATABASE_URL: link.url })
    await port
    link.cut()
    const token = await shop.sign(shop.users.customer)
    const response = await fetch(`http://127.0.0.1:${await port}/api/v1/orders/${uuidv7()}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    expect([response.status, response.headers.get('retry-after'), await response.json()]).toEqual([
      503,
      '2',
      {
        type: 'https://zeroshop.dev/problems/store-unavailable',
        title: 'A store cannot be reached just now',
        status: 503,
        detail: 'Try again in a moment.',
      },
    ])
    child.kill('SIGTERM')
    const log = await out
    expect(log).toContain('ECONNREFUSED')
    expect(log).not.toContain(token)
  })

  it('serves only its own function', async () => {
    const port = await start(good).port
    const statuses = await Promise.all(
      ['/api/v1/orders', `/api/v1/orders/${uuidv7()}`, '/nothing'].map(
        async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).status,
      ),
    )
    expect(statuses).toEqual([404, 401, 404])
  })

  it('serves a whole domain, and finds a reaction by the host name', async () => {
    const port = await start({ ...good, FUNCTION: 'stock', DATABASE_URL: shop.database('stock') }).port
    const ask = async (
      host: string,
      method: string,
      path: string,
      event?: ReturnType<typeof HTTP.structured>,
    ) => {
      const type = event === undefined ? {} : { 'content-type': String(event.headers['content-type']) }
      const request = httpRequest({ port, host: '127.0.0.1', method, path, headers: { host, ...type } })
      request.end(event === undefined ? undefined : String(event.body))
      return answerOf(request)
    }
    const sku = 'GROUPED'
    const product = { productId: uuidv7(), sku, name: 'Mug', sellerId: uuidv7(), version: 1 }
    const data = { ...product, price: { amount: 900, currency: 'EUR' } }
    const event = {
      id: uuidv7(),
      type: 'product.created',
      source: '/products',
      subject: sku,
      time: new Date(),
      data,
    } as const
    const delivery = HTTP.structured(toCloudEvent(event))
    expect(await ask('open-stock:8080', 'POST', '/', delivery)).toMatchObject({ status: 204 })
    const answer = await ask('get-stock:8080', 'GET', `/api/v1/stock/${sku}`)
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([200, { sku, available: 0 }])
    expect(await ask('localhost', 'POST', '/', delivery)).toMatchObject({ status: 404 })
    expect(await health(port, 'readiness')).toEqual(ok)
  })

  it('reads its secrets from files', async () => {
    const file = join(folder, 'database-url')
    writeFileSync(file, `${shop.database('orders')}\n`)
    const { DATABASE_URL: _, ...rest } = good
    const port = await start({ ...rest, DATABASE_URL_FILE: file }).port
    expect(await health(port, 'readiness')).toEqual(ok)
  })
})

describe('stopping a process', () => {
  let agent: Agent
  let order: Order
  let authorization: string
  beforeAll(async () => {
    order = await place(shop, shop.users.customer)
    authorization = `Bearer ${await shop.sign(shop.users.customer)}`
  })
  // the agent keeps its connections open, like a gateway
  afterEach(() => agent.destroy())

  const patch = (port: number, version: number) => {
    agent = new Agent({ keepAlive: true })
    return httpRequest({
      agent,
      port,
      host: '127.0.0.1',
      method: 'PATCH',
      path: `/api/v1/orders/${order.id}`,
      headers: { authorization, 'content-type': 'application/json', 'if-match': `"${version}"` },
    })
  }

  const refuses = (port: number) =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.on('connect', () => resolve(false) ?? socket.destroy())
      socket.on('error', () => resolve(true))
    })

  /** Runs a statement that takes a lock, in a transaction that stays open until `letGo`. */
  async function hold(role: 'orders' | 'stock', statement: string) {
    const { client } = shop.deps(role).db
    const release = Promise.withResolvers<void>()
    const held = Promise.withResolvers<void>()
    const done = client.begin(async (sql) => {
      await sql.unsafe(statement)
      held.resolve()
      await release.promise
    })
    await held.promise
    return {
      /** Resolves once another transaction waits for the lock. */
      waiting: async () => {
        for (;;) {
          const [row] = await client`select count(*)::int as n from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'`
          if (row?.['n'] === 1) return
          await pause(10)
        }
      },
      letGo: async () => {
        release.resolve()
        await done
      },
    }
  }

  it('finishes an open request, accepts no new one, and exits with 0', async () => {
    const { child, port, exited, err } = start({ ...good, FUNCTION: 'update-order' })
    const lock = await hold('orders', `select from orders.orders where id = '${order.id}' for update`)
    const request = patch(await port, 1)
    request.end('{"note":"ring twice"}')
    const answer = answerOf(request)
    await lock.waiting()
    child.kill('SIGTERM')
    child.kill('SIGTERM')
    await expect.poll(async () => refuses(await port)).toBe(true)
    expect(child.exitCode).toBeNull()
    await lock.letGo()
    expect(await answer).toMatchObject({ status: 200, body: expect.stringContaining('ring twice') })
    const answered = performance.now()
    expect(await exited).toEqual([0, null])
    expect(performance.now() - answered).toBeLessThan(graceMs)
    expect(await err).toBe('')
  })

  it('finishes a request whose body is still arriving', async () => {
    const { child, port, exited } = start({ ...good, FUNCTION: 'update-order' })
    const request = patch(await port, 2)
    request.write('{"note":')
    await pause(100)
    child.kill('SIGTERM')
    await expect.poll(async () => refuses(await port)).toBe(true)
    request.end('"by the door"}')
    expect(await answerOf(request)).toMatchObject({
      status: 200,
      body: expect.stringContaining('by the door'),
    })
    const answered = performance.now()
    expect(await exited).toEqual([0, null])
    expect(performance.now() - answered).toBeLessThan(graceMs)
  })

  it('finishes an event that is being handled', async () => {
    const { child, port, exited } = start({
      ...good,
      FUNCTION: 'open-stock',
      DATABASE_URL: shop.database('stock'),
    })
    const insert = `insert into stock.items (sku, seller_id) values ('MUG', '${uuidv7()}')`
    const lock = await hold('stock', insert)
    const product = { productId: uuidv7(), sku: 'MUG', name: 'Mug', sellerId: uuidv7(), version: 1 }
    const data = { ...product, price: { amount: 900, currency: 'EUR' } }
    const event = {
      id: uuidv7(),
      type: 'product.created',
      source: '/products',
      subject: 'MUG',
      time: new Date(),
      data,
    } as const
    const { headers, body } = HTTP.structured(toCloudEvent(event))
    const answer = fetch(`http://127.0.0.1:${await port}`, {
      method: 'POST',
      headers: { 'content-type': String(headers['content-type']) },
      body: String(body),
    })
    await lock.waiting()
    child.kill('SIGTERM')
    await expect.poll(async () => refuses(await port)).toBe(true)
    await lock.letGo()
    expect((await answer).status).toBe(204)
    expect(await exited).toEqual([0, null])
  })

  it.each(['SIGTERM', 'SIGINT'] as const)('does not wait for idle connections after %s', async (signal) => {
    const { child, port, exited } = start(good)
    agent = new Agent({ keepAlive: true })
    const request = httpRequest({ agent, port: await port, host: '127.0.0.1', path: '/health/readiness' })
    request.end()
    expect(await answerOf(request)).toMatchObject({ status: 200 })
    const told = performance.now()
    child.kill(signal)
    expect(await exited).toEqual([0, null])
    expect(performance.now() - told).toBeLessThan(graceMs)
  })

  it('finishes an open request and exits with 0 if its parent exits', async () => {
    const { child, port, exited } = start({ ...good, FUNCTION: 'update-order' })
    const lock = await hold('orders', `select from orders.orders where id = '${order.id}' for update`)
    const request = patch(await port, 3)
    request.end('{"note":null}')
    const answer = answerOf(request)
    await lock.waiting()
    child.disconnect()
    await expect.poll(async () => refuses(await port)).toBe(true)
    await lock.letGo()
    expect(await answer).toMatchObject({ status: 200 })
    expect(await exited).toEqual([0, null])
  })

  it('exits while it is waiting for the broker', async () => {
    const silent = createTcpServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    // the server listens on TCP, so this is not a pipe's name
    const { port } = silent.address() as AddressInfo
    const env = {
      ...good,
      FUNCTION: 'dispatcher',
      DATABASE_URL: shop.database('events'),
      NATS_URL: `nats://127.0.0.1:${port}`,
    }
    const orphan = start(env)
    await once(silent, 'connection')
    orphan.child.disconnect()
    expect(await orphan.exited).toEqual([1, null])
    const told = start(env)
    await once(silent, 'connection')
    told.child.kill('SIGTERM')
    expect(await told.exited).toEqual([143, null])
    silent.close()
  })
})
