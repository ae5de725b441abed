import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { expecting, newOrder, readPrices, shipOrder } from '../demo/client/orders.ts'
import { shopClient, type Person } from '../demo/client/shop.ts'
import type { habits } from '../demo/scale/visitors.ts'
import type { System } from '../local/system.ts'
import { call, type Answer } from './harness.ts'
import type { Meter } from './meter.ts'
import { mug, productUrl } from './shop.ts'

/** What happens in the shop while `npm run capacity` measures. */

/** How many deadlines end in a second once they are brought forward. */
const rate = 20

/** What a measurement writes only in order to measure. */
export interface Own {
  walBytes: number
  /** Rows of the outbox. */
  updated: number
}

/**
 * Returns a function that leads orders from placing to the end, so many at a time, and then brings their deadlines
 * forward. Returns what that has added.
 */
export async function openLives(system: System, meter: Meter, customer: Person, staff: Person) {
  const { sql } = meter
  const prices = await readPrices(
    customer,
    mug.map(({ sku }) => sku),
  )
  const body = JSON.stringify(expecting(newOrder(mug), prices))
  const place = async () => {
    const authorization = `Bearer ${await customer.token()}`
    const headers = { authorization, 'content-type': 'application/json', 'idempotency-key': randomUUID() }
    const { status, text } = await call(`${system.url}/api/v1/orders`, 'POST', headers, body)
    if (status !== 201) throw new Error(`an order was refused: ${status} ${text}`)
    return (JSON.parse(text) as { id: string }).id
  }
  const reaches = (id: string, status: string) =>
    until(`order ${id} is ${status}`, async () => {
      const [row] = await sql`select from orders.orders where id = ${id} and status = ${status}`
      return row !== undefined
    })

  return async (count: number, atOnce: number): Promise<Own> => {
    let left = count
    const customers = Array.from({ length: atOnce }, async () => {
      while (left-- > 0) {
        const id = await place()
        await reaches(id, 'confirmed')
        await shipOrder(staff, id)
        await reaches(id, 'completed')
      }
    })
    await Promise.all(customers)
    const before = await meter.read()
    // some of them are a week away
    const { count: updated } = await sql`
      update events.outbox set due = now() + random() * ${count / rate} * interval '1 second' where due > now()`
    const own = { walBytes: (await meter.read()).walBytes - before.walBytes, updated }
    await until('every event is settled', async () => {
      const [row] = await sql<[{ left: boolean }]>`
        select exists (select from events.outbox where settled_at is null) as left`
      return !row.left
    })
    return own
  }
}

/**
 * Makes everything that the relay keeps older than it keeps it, and waits until it is removed. Returns what the first of
 * these has added.
 */
export async function purge(meter: Meter): Promise<Own> {
  const { sql } = meter
  const before = await meter.read()
  const { count: updated } = await sql`update events.outbox set settled_at = settled_at - interval '30 days'`
  await sql`update events.inbox set at = at - interval '30 days'`
  await sql`update orders.idempotency_keys set at = at - interval '30 days'`
  const own = { walBytes: (await meter.read()).walBytes - before.walBytes, updated }
  // rows that expire were written long before the latest checkpoint
  await sql`checkpoint`
  await until('expired rows are removed', async () => {
    const [row] = await sql<[{ left: boolean }]>`
      select exists (select from events.outbox) or exists (select from events.inbox) as left`
    return !row.left
  })
  return own
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const giveUp = performance.now() + 180_000
  while (!(await isSo())) {
    if (performance.now() > giveUp) throw new Error(`waited 3 minutes, and not yet: ${what}`)
    await pause(20)
  }
}

type Visits = Omit<Record<keyof typeof habits, () => Promise<Answer>>, 'create-order'>

/** Returns what visitors do besides ordering: each function calls an operation once. */
export async function openVisits(system: System, { sql }: Meter, customer: Person): Promise<Visits> {
  const headers = { authorization: `Bearer ${await customer.token()}` }
  const [order] = await sql<[{ id: string }]>`select id from orders.orders limit 1`
  const product = await productUrl(system.url)
  const account = { email: `${randomUUID()}@example.com`, password: randomUUID() }
  await shopClient(system.url).register(account)
  const at = (path: string) => `${system.url}/api/v1${path}`
  return {
    'list-products': () => call(at('/products?limit=20')),
    'get-product': () => call(product),
    'get-stock': () => call(at(`/stock/${mug[0]!.sku}`)),
    'get-order': () => call(at(`/orders/${order.id}`), 'GET', headers),
    'get-order-timeline': () => call(at(`/orders/${order.id}/timeline`), 'GET', headers),
    'log-in': () =>
      call(
        at('/sessions'),
        'POST',
        { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
        JSON.stringify(account),
      ),
  }
}
