import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { connect, createServer, type AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { uuidv7 } from 'uuidv7'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { knowProducts, place } from '../test/orders.ts'
import {
  answerOf,
  openProcesses,
  productCreated,
  type Environment,
  type Processes,
} from '../test/processes.ts'
import type { TestShop } from '../test/shop.ts'
import type { Order } from './orders/order.ts'

/** In ms: less than requests in flight get before they are cut off. */
const graceMs = 6_000

let processes: Processes
let shop: TestShop
let good: Environment
beforeAll(async () => {
  processes = await openProcesses()
  ;({ shop, good } = processes)
})
afterEach(() => processes.killAll())
afterAll(() => processes.close())

describe('stopping a process', () => {
  let agent: Agent
  let order: Order
  let authorization: string
  beforeAll(async () => {
    await knowProducts(shop, ['MUG', 900])
    order = await place(shop, shop.users.customer)
    authorization = `Bearer ${await shop.sign(shop.users.customer)}`
  })
  // it keeps its connections open, as a gateway does
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

  /** Runs the statement in a transaction that stays open, with its locks, until `letGo`. */
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
      /** Resolves once another connection waits for the lock. */
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
    const { child, port, exited, err } = processes.start({ ...good, FUNCTION: 'update-order' })
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
    expect(await answer).toMatchObject({
      status: 200,
      body: expect.stringContaining('ring twice'),
      // so that no gateway sends another request while the connection is being closed
      headers: { connection: 'close' },
    })
    const answered = performance.now()
    expect(await exited).toEqual([0, null])
    expect(performance.now() - answered).toBeLessThan(graceMs)
    expect(await err).toBe('')
  })

  it('finishes a request whose body is still arriving', async () => {
    const { child, port, exited } = processes.start({ ...good, FUNCTION: 'update-order' })
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
    const { child, port, exited } = processes.start({
      ...good,
      FUNCTION: 'open-stock',
      DATABASE_URL: shop.database('stock'),
    })
    const insert = `insert into stock.items (sku, seller_id) values ('MUG', '${uuidv7()}')`
    const lock = await hold('stock', insert)
    const { headers, body } = productCreated('MUG')
    const answer = fetch(`http://127.0.0.1:${await port}`, {
      method: 'POST',
      headers,
      body,
    })
    await lock.waiting()
    child.kill('SIGTERM')
    await expect.poll(async () => refuses(await port)).toBe(true)
    await lock.letGo()
    expect((await answer).status).toBe(204)
    expect(await exited).toEqual([0, null])
  })

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'by %s is not held up by connections that are idle',
    async (signal) => {
      const { child, port, exited } = processes.start(good)
      agent = new Agent({ keepAlive: true })
      const request = httpRequest({ agent, port: await port, host: '127.0.0.1', path: '/health/readiness' })
      request.end()
      expect(await answerOf(request)).toMatchObject({ status: 200 })
      const told = performance.now()
      child.kill(signal)
      expect(await exited).toEqual([0, null])
      expect(performance.now() - told).toBeLessThan(graceMs)
    },
  )

  it('because its parent is gone finishes, and exits with 0', async () => {
    const { child, port, exited } = processes.start({ ...good, FUNCTION: 'update-order' })
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
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const env = {
      ...good,
      FUNCTION: 'dispatcher',
      DATABASE_URL: shop.database('events'),
      NATS_URL: `nats://127.0.0.1:${port}`,
    }
    const orphan = processes.start(env)
    await once(silent, 'connection')
    orphan.child.disconnect()
    expect(await orphan.exited).toEqual([1, null])
    const told = processes.start(env)
    await once(silent, 'connection')
    told.child.kill('SIGTERM')
    expect(await told.exited).toEqual([143, null])
    silent.close()
  })
})
