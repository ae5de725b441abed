import * as fc from 'fast-check'
import { rmSync } from 'node:fs'
import { asc, inArray } from 'drizzle-orm'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { inbox, outbox } from '../events/tables.ts'
import { reactions, reactionsOn, type Domain, type ReactionName } from '../functions/table.ts'
import { orders, type OrderStatus } from '../functions/orders/order.ts'
import { httpProvider } from '../functions/payments/http-provider.ts'
import { ProviderUnavailable, type PaymentProvider } from '../functions/payments/provider.ts'
import { adjustments, items } from '../functions/stock/stock.ts'
import { openPostgres, type Db } from '../functions/shared/store/postgres.ts'
import type { User } from '../functions/shared/auth/access-token.ts'
import { uuidv7 } from 'uuidv7'
import type { ShopEvent } from '../events/catalogue.ts'
import { check, nothingPromised, readBooks, type Promised } from './faults/checker.ts'
import { knowProducts, newOrder, place } from './orders.ts'
import { createSigner } from '../events/signature.ts'
import { webhookOf } from '../functions/payments/sandbox/webhooks.ts'
import { deliveryKey } from './deliveries.ts'
import { openSandbox } from './shop-with-sandbox.ts'
import { openShop, type TestShop } from './shop.ts'

/**
 * Simulates the saga in this process, on the real PostgreSQL. Events of the outbox are delivered in random
 * order, repeatedly and several at a time, between cancellations, shipments and deadlines, while the provider
 * fails at random. A failing run shrinks to a short one. SIMULATION_RUNS sets the number of runs, however long they
 * take, and SIMULATION_SEED repeats them.
 */

/** The domains that are simulated. The others only listen to them. */
const domains: Domain[] = ['orders', 'stock', 'payments', 'invoices']

const reactionsHere = (type: string) =>
  reactionsOn(type).filter((name) => domains.includes(reactions[name].domain))

let shop: TestShop
let sandbox: Awaited<ReturnType<typeof openSandbox>>
let events: Db
let admin: postgres.Sql
/** What the provider does with a request: it works, does nothing, or does it and does not respond. */
let mood: Mood = 'well'

const moods = ['well', 'well', 'well', 'away', 'silent'] as const
type Mood = (typeof moods)[number]
const cards = ['card_approved', 'card_approved', 'card_declined', 'card_capture_fails'] as const

beforeAll(async () => {
  sandbox = await openSandbox()
  shop = await openShop(domains, {
    PAYMENT_PROVIDER_URL: sandbox.url,
    PAYMENT_PROVIDER_KEY: sandbox.apiKey,
  })
  events = openPostgres(shop.database('events'))
  admin = postgres(shop.admin, { max: 1, onnotice: () => {} })
  shop.deps('payments').provider = moody(httpProvider(sandbox.url, sandbox.apiKey))
})
afterAll(async () => {
  await Promise.all([events.client.end(), admin.end()])
  await shop.close()
  await sandbox.close()
})

function moody(real: PaymentProvider): PaymentProvider {
  const through =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const now = mood
      if (now === 'away') throw new ProviderUnavailable('away')
      const answer = await call(...args)
      if (now === 'silent') throw new ProviderUnavailable('silent')
      return answer
    }
  return {
    authorize: through((...args) => real.authorize(...args)),
    capture: through((...args) => real.capture(...args)),
    void: through((...args) => real.void(...args)),
    refund: through((...args) => real.refund(...args)),
    lookUp: through((reference) => real.lookUp(reference)),
  }
}

/** The model, with which the shop must agree in the end. */
interface Model {
  orders: { card: string; quantity: number; cancelled: boolean; expired: boolean; shipped: boolean }[]
}

interface Real {
  sku: string
  user: User
  ids: string[]
  promised: Promised
  /** The refunds that staff requested, by key. Staff retry until there is a final response. */
  refunds: Map<string, { orderId: string; paymentId: string }>
}

type Step = fc.AsyncCommand<Model, Real>

class Place implements Step {
  readonly quantity: number
  readonly card: string
  constructor(quantity: number, card: string) {
    this.quantity = quantity
    this.card = card
  }
  check = () => true
  async run(model: Model, real: Real) {
    const body = newOrder([{ sku: real.sku, quantity: this.quantity }], this.card)
    const order = await place(shop, real.user, body)
    real.ids.push(order.id)
    const { card, quantity } = this
    model.orders.push({ card, quantity, cancelled: false, expired: false, shipped: false })
    const bodies = new Set([JSON.stringify(order)])
    real.promised.orders.set(order.id, { customerId: real.user.id, status: 201, bodies, order })
  }
  toString = () => `place ${this.quantity} with ${this.card}`
}

/** Returns the element at the index `at`, modulo the length. */
const one = <T>(from: readonly T[], at: number) => from[at % from.length]!

class Deliver implements Step {
  readonly at: number[]
  readonly mood: Mood
  constructor(at: number[], mood: Mood) {
    this.at = at
    this.mood = mood
  }
  check = ({ orders }: Readonly<Model>) => orders.length > 0
  async run(_: Model, real: Real) {
    const all = await deliveriesOf(real)
    mood = this.mood
    await Promise.all(this.at.map((at) => deliver(one(all, at))))
    mood = 'well'
  }
  toString = () => `deliver ${this.at.join(' and ')} (provider ${this.mood})`
}

/** Completes everything, so that later steps refund, redeliver old events and place new orders. */
class Drain implements Step {
  check = ({ orders }: Readonly<Model>) => orders.length > 0
  run = (model: Model, real: Real) => drain(model, real)
  toString = () => 'drain'
}

/** A step on one of the orders. */
abstract class OnOrder implements Step {
  readonly at: number
  constructor(at: number) {
    this.at = at
  }
  check = ({ orders }: Readonly<Model>) => orders.length > 0
  abstract run(model: Model, real: Real): Promise<void>
  toString = () => `${this.constructor.name.toLowerCase()} ${this.at}`
}

class Cancel extends OnOrder {
  async run(model: Model, real: Real) {
    const id = one(real.ids, this.at)
    const { status } = await shop.post(`/orders/${id}/cancellation`, { as: real.user, body: {} })
    if (status !== 200) return
    one(model.orders, this.at).cancelled = true
    real.promised.cancelled.add(id)
  }
}

class Ship extends OnOrder {
  run(model: Model, real: Real) {
    return ship(model, real, this.at % real.ids.length)
  }
}

/** The deadline of an order passes. */
class Expire extends OnOrder {
  async run(model: Model, real: Real) {
    const id = one(real.ids, this.at)
    const deadlines = (await outboxOf({ ids: [id] })).filter(isDeadline)
    for (const row of deadlines) await shop.handle('expire-order', toEvent(row))
    one(model.orders, this.at).expired = true
  }
}

class Refund extends OnOrder {
  readonly mood: Mood
  constructor(at: number, mood: Mood) {
    super(at)
    this.mood = mood
  }
  async run(_: Model, real: Real) {
    const { body } = await shop.get('/payments', { as: real.user })
    const all = body.items as { id: string; orderId: string; status: string }[]
    const captured = all.filter(({ status }) => status === 'captured')
    if (captured.length === 0) return
    const { id: paymentId, orderId } = one(captured, this.at)
    const key = uuidv7()
    real.refunds.set(key, { orderId, paymentId })
    mood = this.mood
    await askForRefund(real, key)
    mood = 'well'
  }
  override toString = () => `refund ${this.at} (provider ${this.mood})`
}

/** Returns whether the response was final: the refund, or a conflict because nothing is left to refund. */
async function askForRefund({ refunds, promised }: Real, key: string): Promise<boolean> {
  const { orderId, paymentId } = refunds.get(key)!
  const body = { amount: 500, reason: 'scratched' }
  const answer = await shop.post(`/payments/${paymentId}/refunds`, { as: 'staff', body, key })
  if (answer.status === 201) promised.refunds.set(answer.body.id, { orderId })
  return answer.status === 201 || answer.status === 409
}

/** Webhooks of the provider arrive, however old they are. */
class Hear implements Step {
  readonly at: number[]
  constructor(at: number[]) {
    this.at = at
  }
  check = ({ orders }: Readonly<Model>) => orders.length > 0
  async run() {
    const entries = (await sandbox.journal()).filter(({ outcome }) => outcome !== 'refused')
    if (entries.length === 0) return
    const bodies = this.at.map((at) => webhookOf(one(entries, at)))
    const answers = await Promise.all(
      bodies.map((body) => {
        const headers = createSigner([deliveryKey])(uuidv7(), body)
        return shop.post('/payments/webhooks', { headers, body })
      }),
    )
    const refused = answers.find(({ status }) => status !== 204)
    if (refused !== undefined) throw new Error(`a webhook was answered with ${refused.status}`)
  }
  toString = () => `hear ${this.at.join(' and ')}`
}

interface Delivery {
  event: ShopEvent
  reaction: ReactionName
}

type Row = typeof outbox.$inferSelect

const outboxOf = ({ ids }: Pick<Real, 'ids'>): Promise<Row[]> =>
  events.select().from(outbox).where(inArray(outbox.subject, ids)).orderBy(asc(outbox.id))

const isDeadline = ({ type }: Row) => type === 'order.deadline-reached'

const toEvent = ({ id, type, source, subject, data, time }: Row) =>
  // its data was validated when it was emitted
  ({ id, type, source, subject, data, time }) as ShopEvent

/** Returns every due event in the outbox with each of its reactions, even if it has been delivered. */
async function deliveriesOf(real: Real): Promise<Delivery[]> {
  const rows = await outboxOf(real)
  return rows
    .filter((row) => !isDeadline(row))
    .flatMap((row) => reactionsHere(row.type).map((reaction) => ({ event: toEvent(row), reaction })))
}

/** Returns whether the reaction handled the event. A failed delivery is repeated later. */
const deliver = ({ event, reaction }: Delivery): Promise<boolean> =>
  shop.handle(reaction, event).then(
    () => true,
    () => false,
  )

async function ship(model: Model, real: Real, n: number) {
  const { status } = await shop.post(`/orders/${real.ids[n]}/shipment`, { as: 'staff', body: {} })
  if (status !== 200) return
  model.orders[n]!.shipped = true
  real.promised.shipped.add(real.ids[n]!)
}

const statuses = async ({ ids }: Real): Promise<OrderStatus[]> => {
  const rows = await shop.deps('orders').db.select().from(orders).where(inArray(orders.id, ids))
  return ids.map((id) => rows.find((row) => row.id === id)!.status)
}

/** Delivers the remaining events and ships confirmed orders until every order has ended. */
async function drain(model: Model, real: Real) {
  for (let round = 0; round < 60; round++) {
    const done = new Set((await events.select().from(inbox)).map((row) => `${row.eventId} ${row.reaction}`))
    const left = (await deliveriesOf(real)).filter(
      ({ event, reaction }) => !done.has(`${event.id} ${reaction}`),
    )
    for (const delivery of left) await deliver(delivery)
    const now = await statuses(real)
    for (const [n, status] of now.entries()) if (status === 'confirmed') await ship(model, real, n)
    if (left.length === 0 && now.every((status) => status === 'completed' || status === 'cancelled')) return
  }
  throw new Error(`orders did not end: ${(await statuses(real)).join()}`)
}

async function begin(units: number): Promise<{ model: Model; real: Real }> {
  const sku = `SIM-${uuidv7().slice(-12).toUpperCase()}`
  await knowProducts(shop, [sku, 700])
  const { db } = shop.deps('stock')
  const seller = uuidv7()
  await db.insert(items).values({ sku, sellerId: seller, available: units, received: units })
  const id = uuidv7()
  await db.insert(adjustments).values({ id, sku, quantity: units, reason: 'received', userId: seller })
  const promised = { ...nothingPromised(), earlier: new Set([id]) }
  return { model: { orders: [] }, real: { sku, user: shop.newUser(), ids: [], promised, refunds: new Map() } }
}

/** Removes the data of the previous run, but not the tax rates and shipping methods, which a new shop has. */
async function clear() {
  const tables = await admin<{ name: string }[]>`
    select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname in ('stock', 'orders', 'payments', 'invoices', 'events') and tablename not like '%migrations%'
      and tablename not in ('tax_rates', 'shipping_methods')`
  await Promise.all([
    // in tables as small as these, faster than to truncate them; whatever their order, no foreign key objects
    admin.unsafe(
      [
        'set local session_replication_role = replica',
        ...tables.map(({ name }) => `delete from ${name}`),
      ].join(';'),
    ),
    sandbox.stop().then(() => {
      rmSync(sandbox.path, { force: true })
      return sandbox.start()
    }),
  ])
}

const at = fc.nat(200)
const steps = fc.commands(
  [
    fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom(...cards)).map((args) => new Place(...args)),
    fc
      .tuple(fc.array(at, { minLength: 1, maxLength: 3 }), fc.constantFrom(...moods))
      .map((args) => new Deliver(...args)),
    fc
      .tuple(fc.array(at, { minLength: 1, maxLength: 3 }), fc.constantFrom(...moods))
      .map((args) => new Deliver(...args)),
    fc.array(at, { minLength: 1, maxLength: 3 }).map((args) => new Hear(args)),
    fc.constant(new Drain()),
    at.map((n) => new Cancel(n)),
    at.map((n) => new Ship(n)),
    at.map((n) => new Expire(n)),
    fc.tuple(at, fc.constantFrom(...moods)).map((args) => new Refund(...args)),
  ],
  { maxCommands: 60, size: 'max' },
)

const runs = process.env['SIMULATION_RUNS']
const numRuns = Number(runs ?? 60)
/** How long new runs begin if their number is not set, in ms: a busy machine makes fewer. */
const budgetMs = runs === undefined ? 60_000 : Infinity
const seed = process.env['SIMULATION_SEED']

it('keeps every promise and invariant, in whatever order things happen', { timeout: 3_600_000 }, async () => {
  const began = performance.now()
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 6 }), steps, async (units, commands) => {
      if (performance.now() - began > budgetMs) return
      await clear()
      const { model, real } = await begin(units)
      await fc.asyncModelRun(() => ({ model, real }), commands)
      await drain(model, real)
      for (const key of real.refunds.keys()) expect(await askForRefund(real, key)).toBe(true)
      await drain(model, real)
      const ended = await statuses(real)
      const wanted = model.orders.reduce((sum, { quantity }) => sum + quantity, 0)
      for (const [n, { card, cancelled, expired, shipped }] of model.orders.entries()) {
        if (cancelled || !shipped || card === 'card_capture_fails') expect(ended[n]).toBe('cancelled')
        else expect(ended[n]).toBe('completed')
        // no order is refused that can be paid and for which there is stock
        if (card === 'card_approved' && wanted <= units && !cancelled && !expired)
          expect(ended[n]).toBe('completed')
      }
      // however an order ends, its card token is deleted
      expect([...(await admin`select subject from events.secrets`)]).toEqual([])
      const books = await readBooks({
        postgres: shop.admin,
        sandbox: sandbox.url,
        sandboxKey: sandbox.apiKey,
      })
      const findings = check(books, real.promised, { deadlineMs: Infinity, slackMs: 0 })
      expect(findings.flatMap(({ name, violations }) => violations.map((text) => `${name} ${text}`))).toEqual(
        [],
      )
    }),
    { numRuns, ...(seed === undefined ? {} : { seed: Number(seed) }), endOnFailure: false },
  )
})
