import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { text } from 'node:stream/consumers'
import type { AddressInfo } from 'node:net'
import { and, eq, sql } from 'drizzle-orm'
import type { PgInsertValue } from 'drizzle-orm/pg-core'
import type { Collection } from 'mongodb'
import { AckPolicy, connect } from 'nats'
import { pino } from 'pino'
import postgres from 'postgres'
import { uuidv7 } from 'uuidv7'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openPostgres, type Db } from '../functions/shared/store/postgres.ts'
import { startNats } from '../local/stores/nats.ts'
import type { Store } from '../local/stores/store.ts'
import { temporaryDataDir } from '../local/stores/temporary.ts'
import { deliveryKey } from '../test/deliveries.ts'
import { openShop, type TestShop } from '../test/shop.ts'
import { consumers } from './consumers.table.ts'
import { dropDeadLetters, listDeadLetters, replayDeadLetters } from './dead-letters.ts'
import { startDispatcher } from './dispatcher.ts'
import { events as orderEvents } from '../functions/orders/events.ts'
import { events as usersEvents } from '../functions/users/events.ts'
import { newProduct } from '../functions/products/product.ts'
import { withCause } from '../functions/shared/store/cause.ts'
import { transaction } from '../functions/shared/store/transaction.ts'
import { outboxRow } from './emit.ts'
import { connectBroker, type Broker } from './jetstream.ts'
import type { WithOutbox } from './mongodb-outbox.ts'
import { natsOptions } from './nats-url.ts'
import type { NotHandled } from './receive.ts'
import { openPublisher } from './publish.ts'
import { startRelay } from './relay.ts'
import { createSigner, createVerifier } from './signature.ts'
import { failures, inbox, outbox } from './tables.ts'

/** Tests relay and dispatcher with a real broker. A server stands in for the reactions and records events. */

const silent = pino({ level: 'silent' })
const folder = temporaryDataDir()
let nats: Store
let shop: TestShop
let db: Db
let broker: Broker
let reactions: Server
let taken: { reaction: string; id: string; type: string }[]
/** The reactions that received a health request. */
let woken: string[]
/** How many more deliveries fail, by the order's id. */
let failing: Map<string, number>
/** The status of a failed delivery. */
let failure: number
/** The number of events in each delivery to release-stock. */
let sizes: number[]
/** Whether a batch with an event that fails is answered with that status as a whole. */
let failsWhole: boolean
/** Until it is resolved, no delivery is answered. */
let held: Promise<unknown>
let stops: (() => Promise<void>)[]

beforeAll(async () => {
  nats = await startNats({ dataDir: folder.dataDir, durable: false })
  reactions = createServer(
    (request, response) =>
      void react(request).then(({ status, body }) =>
        response.writeHead(status).end(body === undefined ? undefined : JSON.stringify(body)),
      ),
  )
  reactions.listen(0, '127.0.0.1')
  await once(reactions, 'listening')
  shop = await openShop(['orders', 'products'], {}, { collects: false })
  db = openPostgres(shop.database('events'))
})
afterAll(async () => {
  await db.client.end()
  await shop.close()
  reactions.close()
  reactions.closeAllConnections()
  await nats.stop()
  await folder.remove()
})

beforeEach(async () => {
  taken = []
  woken = []
  failing = new Map()
  failure = 500
  sizes = []
  failsWhole = false
  held = Promise.resolve()
  stops = []
  for (const table of [outbox, inbox, failures]) await db.delete(table)
  await products().deleteMany({})
  broker = await connectBroker(nats.url)
  await broker.deleteStream()
  await broker.ensureStream()
})
afterEach(async () => {
  for (const stop of stops) await stop()
  await broker.close()
})

const verify = createVerifier([deliveryKey])

interface Delivered {
  id: string
  type: string
  data: { orderId: string }
}

async function react(request: IncomingMessage): Promise<{ status: number; body?: NotHandled[] }> {
  const [, name = '', ...rest] = request.url!.split('/')
  if (rest.length > 0) {
    woken.push(name)
    return { status: 200 }
  }
  const body = await text(request)
  if (verify(request.headers, body) !== undefined) return { status: 401 }
  await held
  const isBatch = request.headers['content-type']!.startsWith('application/cloudevents-batch+json')
  const events = [JSON.parse(body)].flat() as Delivered[]
  expect(isBatch).toBe(events.length > 1)
  if (name === 'release-stock') sizes.push(events.length)
  const failed = events.filter(({ data }) => (failing.get(data.orderId) ?? 0) > 0)
  for (const { data } of failed) failing.set(data.orderId, failing.get(data.orderId)! - 1)
  if (failed.length > 0 && (failsWhole || !isBatch)) return { status: failure }
  taken.push(
    ...events.filter((e) => !failed.includes(e)).map(({ id, type }) => ({ reaction: name, id, type })),
  )
  return failed.length === 0
    ? { status: 204 }
    : { status: 200, body: failed.map(({ id }) => ({ id, status: failure, detail: 'a test' })) }
}

const relay = async (redeliverAfterMs = 30_000, log = silent) => {
  const relay = await startRelay({
    db,
    broker,
    sources: [{ domain: 'products', collection: products() }],
    redeliverAfterMs,
    pollMs: 50,
    log,
  })
  stops.push(() => relay.stop())
}

const dispatch = (retryDelaysMs = [20, 20], coldPatienceMs = 20) => {
  const { port } = reactions.address() as AddressInfo
  const dispatcher = startDispatcher({
    db,
    broker,
    log: silent,
    retryDelaysMs,
    coldPatienceMs,
    pollMs: 20,
    url: (name) => `http://127.0.0.1:${port}/${name}`,
    sign: (_, id, body) => createSigner([deliveryKey])(id, body),
  })
  stops.push(() => dispatcher.stop())
  return dispatcher
}

/** The products with the relay's type. */
const products = () => shop.deps('products').products as unknown as Collection<WithOutbox>

const cause = { domain: 'orders', emits: orderEvents }
const cancelled = (orderId = uuidv7()) =>
  outboxRow(cause, 'order.cancelled', orderId, { orderId, reason: 'a test' })
const put = async (...rows: PgInsertValue<typeof outbox>[]) => {
  await db.insert(outbox).values(rows)
  db.wake()
}
/** The reactions to a cancelled order. */
const toCancelled = Object.keys(consumers).filter((name) => consumers[name]!.on.includes('order.cancelled'))
const takenBy = (reaction: string) => taken.filter((t) => t.reaction === reaction).map((t) => t.id)

describe('the relay', () => {
  it('publishes what is due when it starts, without a failure', async () => {
    const lines: string[] = []
    const row = cancelled()
    await put(row)
    await relay(30_000, pino({}, { write: (line: string) => lines.push(line) }))
    dispatch()
    await expect.poll(() => takenBy('release-stock')).toEqual([row.id])
    expect(lines).toEqual([])
  })

  it('publishes an event whose transaction commits after a later one', async () => {
    const [early, late] = [cancelled(), cancelled()]
    await relay()
    dispatch()
    await transaction(shop.deps('orders').db, async (tx) => {
      await tx.insert(outbox).values(early)
      await put(late)
      await expect.poll(() => takenBy('release-stock')).toEqual([late.id])
    })
    await expect.poll(() => takenBy('release-stock')).toEqual([late.id, early.id])
  })

  it('publishes a scheduled event when it is due by PostgreSQL’s clock', async () => {
    const [later, now] = [cancelled(), cancelled()]
    await relay()
    dispatch()
    const orders = withCause(shop.deps('orders').db, cause)
    const orderId = uuidv7()
    await transaction(orders, async (tx) => {
      const data = { orderId, reason: 'its time has come' }
      await tx.emit('order.cancelled', orderId, data, { afterMs: 60_000 })
    })
    await put({ ...later, due: new Date(Date.now() + 60_000) }, now)
    await expect.poll(() => takenBy('release-stock')).toEqual([now.id])
    const due = await db
      .update(outbox)
      .set({ due: sql`now()` })
      .where(eq(outbox.subject, orderId))
      .returning({ id: outbox.id })
    db.wake()
    await expect.poll(() => takenBy('release-stock')).toEqual([now.id, due[0]!.id])
  })

  it('looks up the reactions when it publishes, not when the event is emitted', async () => {
    const row = cancelled()
    await put(row)
    const awaits = async () =>
      (await db.select().from(outbox).where(eq(outbox.id, row.id)))[0]!.awaits.toSorted()
    expect(await awaits()).toEqual([])
    await relay()
    await expect.poll(awaits).toEqual(toCancelled.toSorted())
  })

  it('publishes nothing from a transaction that is rolled back', async () => {
    await relay()
    dispatch()
    const orders = withCause(shop.deps('orders').db, cause)
    const never = transaction(orders, async (tx) => {
      await tx.emit('order.cancelled', 'x', { orderId: uuidv7(), reason: 'never' })
      throw new Error('rolled back')
    })
    await expect(never).rejects.toThrow('rolled back')
    const next = cancelled()
    await put(next)
    await expect.poll(() => takenBy('release-stock')).toEqual([next.id])
  })

  it('publishes each event once if two relays run', async () => {
    await relay()
    await relay()
    const rows = Array.from({ length: 300 }, () => cancelled())
    for (let n = 0; n < rows.length; n += 20) await put(...rows.slice(n, n + 20))
    await expect.poll(() => broker.count(), { timeout: 10_000 }).toBe(300)
    const publishes = async () => (await db.select().from(outbox)).map(({ publishes }) => publishes)
    // a row is marked after its event is published
    await expect.poll(publishes).toEqual(rows.map(() => 1))
  })

  it('does not replace the stream because of an event that is larger than NATS allows', async () => {
    const publisher = openPublisher({ db, broker, log: silent })
    stops.push(async () => void (await publisher.close()))
    const large = cancelled()
    await put({ ...large, data: { ...large.data, reason: 'x'.repeat(1_100_000) } })
    const failing = { since: new Date(Date.now() - 60_000), error: undefined }
    await expect(publisher.publish('new', failing)).rejects.toThrow('MAX_PAYLOAD_EXCEEDED')
    // the others of its batch are published
    await put(cancelled())
    expect(await publisher.publish('new', failing)).toBe(0)
    expect(await broker.count()).toBe(1)
    await expect(publisher.publish('new', failing)).rejects.toThrow('MAX_PAYLOAD_EXCEEDED')
    expect(await broker.count()).toBe(1)
  })

  it('republishes a lost event, but not one that the stream still holds for a reaction', async () => {
    const [waiting, lost] = [cancelled(), cancelled()]
    const publishes = async ({ id }: { id: string }) =>
      (await db.select().from(outbox).where(eq(outbox.id, id)))[0]?.publishes ?? 0
    await relay(1_000)
    await put(waiting, lost)
    await expect.poll(() => publishes(lost)).toBe(1)
    // looks like an event that the stream dropped because of its age
    await db.update(outbox).set({ streamSeq: 0 }).where(eq(outbox.id, lost.id))
    // both are due at the same time and checked in the same run
    await expect.poll(() => publishes(lost), { timeout: 5_000 }).toBe(2)
    expect(await publishes(waiting)).toBe(1)
  })

  it('republishes an event that was acknowledged but not handled', async () => {
    const row = cancelled()
    await relay(200)
    await put(row)
    await expect.poll(() => broker.count()).toBe(1)
    const connection = await connect(natsOptions(nats.url))
    await (
      await connection.jetstreamManager()
    ).consumers.add('zeroshop', {
      durable_name: 'release-stock',
      ack_policy: AckPolicy.Explicit,
      filter_subjects: ['zeroshop.order.cancelled'],
    })
    const consumer = await connection.jetstream().consumers.get('zeroshop', 'release-stock')
    ;(await consumer.next())?.ack()
    await expect.poll(() => broker.count(), { timeout: 10_000 }).toBeGreaterThan(1)
    await connection.close()
  })

  it('publishes the events in documents, except those that belong to another domain', async () => {
    const { id, type, subject, time, data } = cancelled()
    const { outbox: own, ...product } = newProduct(
      {
        sku: 'MUG',
        name: 'Mug',
        description: '',
        category: 'x',
        price: { amount: 1, currency: 'EUR' },
        attributes: {},
      },
      shop.users.seller.id,
    )
    const forged = { id, type, subject, time, data }
    await products().insertOne({ ...product, outbox: [forged, ...own] })
    await relay()
    await expect.poll(async () => (await products().findOne())?.outbox).toEqual([])
    expect(await db.select({ type: outbox.type, source: outbox.source }).from(outbox)).toEqual([
      { type: 'product.created', source: '/products' },
    ])
  })

  it('deletes a secret that nobody has taken within a day', async () => {
    const [old, fresh] = [uuidv7(), uuidv7()]
    const admin = postgres(shop.admin, { max: 1 })
    for (const subject of [old, fresh]) await shop.leaveSecret('payments', subject, 'secret')
    await admin`update events.secrets set at = now() - interval '25 hours' where subject = ${old}`
    await relay()
    const left = () => admin<{ subject: string }[]>`select subject from events.secrets`
    await expect.poll(async () => (await left()).map(({ subject }) => subject)).toEqual([fresh])
    await admin.end()
  })

  it('publishes new events while late ones wait', async () => {
    const late = Array.from({ length: 1_000 }, () => ({ ...cancelled(), due: new Date(Date.now() - 60_000) }))
    const fresh = cancelled()
    await put(...late, fresh)
    await relay()
    await expect.poll(() => broker.count(), { timeout: 10_000 }).toBe(1_001)
    const seqOf = async (id: string) =>
      (await db.select().from(outbox).where(eq(outbox.id, id)))[0]?.streamSeq
    // a row is marked after its event is published
    await expect.poll(() => seqOf(late.at(-1)!.id)).toBeGreaterThan(900)
    expect(await seqOf(fresh.id)).toBeLessThan(600)
  })

  it('reads each event that waits a few times at most', async () => {
    const events = 3_000
    const reads = async () => {
      // the statistics of a connection are written when it is idle for a second, or ends
      const [row] = await db.execute<{ count: number }>(
        sql`select idx_tup_fetch::int as count from pg_stat_all_indexes where indexrelname = 'outbox_due'`,
      )
      return row!.count
    }
    const publisher = openPublisher({ db, broker, log: silent })
    // PostgreSQL keeps the plan that it makes now, while the outbox is small
    for (let n = 0; n < 8; n++) {
      await put(cancelled())
      await publisher.publish('new', undefined)
    }
    await put(...Array.from({ length: events }, () => cancelled()))
    const before = await reads()
    for (let n = 0; n < events / 512; n++) await publisher.publish('new', undefined)
    await publisher.close()
    expect(await broker.count()).toBe(8 + events)
    await expect
      .poll(async () => (await reads()) - before, { timeout: 10_000 })
      .toBeGreaterThanOrEqual(events)
    expect((await reads()) - before).toBeLessThan(3 * events)
  })

  const settledAt = async ({ id }: { id: string }) =>
    (await db.select().from(outbox).where(eq(outbox.id, id)))[0]?.settledAt

  it('settles an event that every reaction has handled', async () => {
    const [handled, waiting] = [cancelled(), cancelled()]
    await relay(100)
    await put(handled, waiting)
    const taken = toCancelled.map((reaction) => ({ reaction, eventId: handled.id }))
    await db.insert(inbox).values([...taken, { reaction: 'release-stock', eventId: waiting.id }])
    await expect.poll(() => settledAt(handled)).toBeInstanceOf(Date)
    expect(await settledAt(waiting)).toBeNull()
  })

  it('settles an event that no reaction awaits when it is published', async () => {
    const data = { userId: uuidv7() }
    const row = outboxRow({ domain: 'users', emits: usersEvents }, 'user.email-changed', data.userId, data)
    await relay()
    await put(row)
    await expect.poll(() => settledAt(row)).toBeInstanceOf(Date)
  })
})

describe('the dispatcher', () => {
  it('delivers an event to each of its reactions', async () => {
    const row = cancelled()
    await relay()
    dispatch()
    await put(row)
    await expect.poll(() => taken.map((t) => t.reaction).toSorted()).toEqual(toCancelled.toSorted())
    expect(taken[0]).toMatchObject({ id: row.id, type: 'dev.zeroshop.order.cancelled' })
  })

  it('starts reactions for which nobody waits later than others, but before it stops', async () => {
    const row = cancelled()
    await relay()
    const dispatcher = dispatch([20, 20], 60_000)
    await put(row)
    const others = toCancelled.filter((name) => !consumers[name]!.isPatient)
    await expect.poll(() => taken.map((t) => t.reaction).toSorted()).toEqual(others.toSorted())
    await dispatcher.stop()
    expect(taken.map((t) => t.reaction).toSorted()).toEqual(toCancelled.toSorted())
    expect(others.length).toBeLessThan(toCancelled.length)
  })

  it('wakes the reactions that follow an event once', async () => {
    const shipped = () => {
      const orderId = uuidv7()
      return outboxRow(cause, 'order.shipped', orderId, { orderId })
    }
    await relay()
    dispatch()
    await put(shipped())
    await expect.poll(() => takenBy('capture-payment')).toHaveLength(1)
    await expect.poll(() => woken).toEqual(['complete-order', 'commit-stock'])
    await put(shipped())
    await expect.poll(() => takenBy('capture-payment')).toHaveLength(2)
    expect(woken).toEqual(['complete-order', 'commit-stock'])
  })

  it('retries a failed delivery after each pause until it succeeds', async () => {
    const row = cancelled()
    failing.set(row.subject, 3)
    await relay()
    dispatch([20, 20])
    await put(row)
    await expect.poll(() => taken).toHaveLength(toCancelled.length)
    await expect.poll(() => db.select().from(failures)).toEqual([])
  })

  it('parks an event after its last attempt without delaying others, and replays it on request', async () => {
    const poison = cancelled()
    const others = Array.from({ length: 50 }, () => cancelled())
    failing.set(poison.subject, 1_000)
    await relay()
    dispatch([20, 20])
    await put(poison, ...others)
    await expect.poll(() => takenBy('release-stock').length, { timeout: 10_000 }).toBe(50)
    await expect
      .poll(async () => (await listDeadLetters(db)).length, { timeout: 10_000 })
      .toBe(toCancelled.length)
    const [letter] = await listDeadLetters(db)
    expect(letter).toMatchObject({ eventId: poison.id, attempts: 3, error: expect.stringMatching('500') })

    failing.clear()
    expect(await replayDeadLetters(db, { reaction: 'release-stock' })).toBe(1)
    await expect.poll(() => takenBy('release-stock')).toContain(poison.id)
    // the delivered event is not retried when its lease ends
    const ofRelease = and(eq(failures.eventId, poison.id), eq(failures.reaction, 'release-stock'))
    await expect.poll(() => db.select().from(failures).where(ofRelease), { timeout: 5_000 }).toEqual([])
    expect(takenBy('void-payment')).not.toContain(poison.id)
    expect(await dropDeadLetters(db, { eventId: poison.id })).toBe(toCancelled.length - 1)
    expect(await listDeadLetters(db)).toEqual([])
  })

  it('delivers what waits together, in batches of a limited size', async () => {
    let release!: () => void
    held = new Promise<void>((resolve) => (release = resolve))
    await relay()
    dispatch()
    await put(cancelled())
    const others = Array.from({ length: 45 }, () => cancelled())
    await expect.poll(async () => (await broker.count()) > 0).toBe(true)
    await put(...others)
    await expect.poll(() => broker.count()).toBe(46)
    release()
    await expect.poll(() => takenBy('release-stock').length).toBe(46)
    expect(new Set(takenBy('release-stock')).size).toBe(46)
    expect(Math.max(...sizes)).toBeGreaterThan(5)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(32)
  })

  it('parks only the event that fails if a batch fails as a whole', async () => {
    failsWhole = true
    failure = 422
    const poison = cancelled()
    const others = Array.from({ length: 20 }, () => cancelled())
    failing.set(poison.subject, 1_000)
    await relay()
    dispatch()
    await put(...others, poison)
    await expect.poll(() => takenBy('release-stock').length).toBe(20)
    await expect
      .poll(async () => (await listDeadLetters(db)).map(({ eventId }) => eventId))
      .toEqual(toCancelled.map(() => poison.id))
    expect(await db.select().from(failures)).toHaveLength(toCancelled.length)
  })

  it.each([
    [503, 'cannot reach its store'],
    [401, 'does not accept the signature'],
  ])('keeps retrying while a reaction returns %s, because it %s', async (status) => {
    const row = cancelled()
    failing.set(row.subject, 20)
    failure = status
    await relay()
    dispatch([20, 20])
    await put(row)
    await expect.poll(() => taken, { timeout: 10_000 }).toHaveLength(toCancelled.length)
    expect(await listDeadLetters(db)).toEqual([])
  })

  it('parks an event at once if a reaction returns 422', async () => {
    const row = cancelled()
    failing.set(row.subject, 9)
    failure = 422
    await relay()
    dispatch()
    await put(row)
    await expect
      .poll(async () => (await listDeadLetters(db)).map((l) => l.attempts))
      .toEqual(toCancelled.map(() => 1))
  })

  it.each([
    ['a reaction that there is no longer', 'polish-stock', {}, 'there is no reaction polish-stock'],
    [
      'what is no event of the shop',
      'release-stock',
      { type: 'order.cancelled' },
      'there is no event type order.cancelled',
    ],
  ])('parks a failure of %s when its retry is due, and goes on', async (_, reaction, changed, error) => {
    const event = { id: uuidv7(), type: 'dev.zeroshop.order.cancelled', ...changed }
    const row = { reaction, eventId: event.id, event, attempts: 2, error: 'no luck', nextAt: new Date() }
    await db.insert(failures).values(row)
    await relay()
    dispatch()
    const found = () => db.select().from(failures)
    await expect.poll(found).toMatchObject([{ error, nextAt: null, parkedAt: expect.any(Date) }])
    const next = cancelled()
    await put(next)
    await expect.poll(() => taken).toHaveLength(toCancelled.length)
    expect(taken[0]!.id).toBe(next.id)
  })

  it('updates a consumer that an earlier version created with other settings', async () => {
    const connection = await connect(natsOptions(nats.url))
    const manager = await connection.jetstreamManager()
    await manager.consumers.add('zeroshop', {
      durable_name: 'release-stock',
      ack_policy: AckPolicy.Explicit,
      max_ack_pending: 1,
      filter_subjects: ['zeroshop.order.placed'],
    })
    await connection.close()
    const row = cancelled()
    await relay()
    dispatch()
    await put(row)
    await expect.poll(() => takenBy('release-stock'), { timeout: 5_000 }).toEqual([row.id])
  })

  it('can be stopped while it starts', async () => {
    for (const _ of Array.from({ length: 5 })) {
      dispatch()
      await expect(stops.pop()!()).resolves.toBeUndefined()
    }
  })

  it('recovers if the stream is lost', async () => {
    await relay(300)
    dispatch()
    await put(cancelled())
    await expect.poll(() => takenBy('release-stock')).toHaveLength(1)
    await broker.deleteStream()
    const row = cancelled()
    await put(row)
    await expect.poll(() => takenBy('release-stock'), { timeout: 40_000 }).toContain(row.id)
  })
})
