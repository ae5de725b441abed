import postgres from 'postgres'
import { uuidv7 } from 'uuidv7'
import type { FunctionName } from '../functions/table.ts'
import type { System } from '../local/system.ts'
import { drained, fill } from './backlog.ts'
import { eventsPerOrder, fillTables } from './big-tables-fill.ts'
import { newCustomers, tokensOf } from './create-order.ts'
import { call, load, median, startFunction, startShop } from './harness.ts'
import { placer, run, rushOf } from './orders.ts'
import type { Result } from './result.ts'
import { stockUp } from './shop.ts'

/** The number of orders that fill the tables, if none is given. */
export const millionOrders = 1_000_000
const rounds = 4
/** The orders of a round that are confirmed while 32 are under way. */
const confirmedOrders = 800
/** The events of a round that wait until the relay publishes them. */
const waitingEvents = 20_000
const readSeconds = 3
/** The orders that get-order reads in a round. */
const readOrders = 2_000
/** The requests of a round for each list. */
const lists = 200

/** The goals: how many times the figure with empty tables. */
const goals = { rate: 0.9, ms: 1 / 0.9 }

/**
 * Measures a shop whose tables are full and one whose tables are empty, in turn, so that both share the machine's moods.
 * @param orders the number of orders that fill the tables
 */
export async function bigTables(orders: number): Promise<Result[]> {
  const users = newCustomers()
  const full = await openShop(users)
  try {
    const empty = await openShop(users)
    try {
      const began = performance.now()
      await fillTables(
        full.sql,
        orders,
        users.map(({ id }) => id),
      )
      console.error(`filled in ${((performance.now() - began) / 1000).toFixed(0)} s`)
      console.error(await sizes(full.sql))
      const found: Found[] = []
      for (let round = 0; round <= rounds; round++)
        for (const [what, figure] of Object.entries(figures)) {
          // neither is always the first
          const shops = round % 2 === 0 ? [full, empty] : [empty, full]
          const values = new Map<Shop, number>()
          for (const shop of shops) values.set(shop, await figure.measure(shop))
          // in the first round, connections and code are new
          if (round > 0) found.push({ what, full: values.get(full)!, empty: values.get(empty)! })
        }
      console.error(await sizes(full.sql))
      console.error(
        `full: ${[orders, orders * eventsPerOrder].map((n) => n.toLocaleString('en')).join(' orders and ')} events`,
      )
      return Object.entries(figures).map(([what, { unit }]) =>
        compare(
          what,
          unit,
          found.filter((each) => each.what === what),
        ),
      )
    } finally {
      await empty.stop()
    }
  } finally {
    await full.stop()
  }
}

interface Shop {
  system: System
  sql: postgres.Sql
  place: () => Promise<string>
  /** The token of a customer with 25 orders, who places no more. */
  reader: string
  staff: string
  stop: () => Promise<void>
}

interface Found {
  what: string
  full: number
  empty: number
}

async function openShop(users: readonly { id: string; role: 'customer' }[]): Promise<Shop> {
  const { system, stop: stopShop } = await startShop({ window: 3_600 })
  const sql = postgres(String(system.environment.ofService('migrate')['ADMIN_DATABASE_URL']), {
    max: 1,
    onnotice: () => {},
  })
  const stop = async () => {
    await sql.end()
    await stopShop()
  }
  try {
    await stockUp(system.url)
    const [reader, staff] = await tokensOf(system, [
      { id: uuidv7(), role: 'customer' },
      { id: uuidv7(), role: 'staff' },
    ])
    const placeOfReader = await placer(system, [reader!])
    await run(sql, placeOfReader, 4, 25)
    const place = await placer(system, await tokensOf(system, users))
    return { system, sql, place, reader: reader!, staff: staff!, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const list = (token: string, query: string) => (base: string) =>
  latency(`${base}/api/v1/orders${query}`, token)

/** What is measured, in this order. */
const figures: Record<string, { unit: keyof typeof goals; measure: (shop: Shop) => Promise<number> }> = {
  'orders/s accepted, 1,000 at once': {
    unit: 'rate',
    measure: async ({ sql, place }) => (await rushOf(sql, place)).accepted,
  },
  'orders/s confirmed, 32 at once': {
    unit: 'rate',
    measure: async ({ sql, place }) => (await run(sql, place, 32, confirmedOrders)).rate,
  },
  'events/s published': {
    unit: 'rate',
    measure: async ({ sql }) => {
      const began = performance.now()
      await fill(sql, waitingEvents)
      await drained(sql)
      return waitingEvents / ((performance.now() - began) / 1000)
    },
  },
  'get-order/s': {
    unit: 'rate',
    measure: async ({ system, sql, staff }) => {
      const ids = await sql<{ id: string }[]>`
        select id from orders.orders where id in (
          select id from orders.orders order by random() limit ${readOrders})`
      return using(system, 'get-order', (base) =>
        load(base, readSeconds, {
          headers: { authorization: `Bearer ${staff}` },
          requests: ids.map(({ id }) => ({ path: `/api/v1/orders/${id}` })),
        }),
      )
    },
  },
  'list-orders of a customer': {
    unit: 'ms',
    measure: ({ system, reader }) => using(system, 'list-orders', list(reader, '')),
  },
  'list-orders of the staff': {
    unit: 'ms',
    measure: ({ system, staff }) => using(system, 'list-orders', list(staff, '?status=confirmed')),
  },
}

/** Runs work with a process of a function, past the activator. */
async function using<R>(system: System, name: FunctionName, work: (base: string) => Promise<R>): Promise<R> {
  const instance = startFunction(system, name)
  try {
    await instance.ready
    return await work(`http://127.0.0.1:${instance.port}`)
  } finally {
    await instance.stop()
  }
}

/** Returns the median time of a request, one at a time, in ms. */
async function latency(url: string, token: string): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < lists; n++) {
    const began = performance.now()
    const { status, text } = await call(url, 'GET', { authorization: `Bearer ${token}` })
    if (status !== 200) throw new Error(`${url}: ${status} ${text}`)
    times.push(performance.now() - began)
  }
  return median(times)
}

/** Compares figures that were measured one right after the other. */
function compare(what: string, unit: keyof typeof goals, found: readonly Found[]): Result {
  const ratio = median(found.map(({ full, empty }) => full / empty))
  const show = (of: 'full' | 'empty') => {
    const value = median(found.map((each) => each[of]))
    return unit === 'rate' ? value.toFixed(0) : `${value.toFixed(2)} ms`
  }
  return {
    what,
    ours: show('full'),
    against: `${show('empty')} with empty tables`,
    ratio: `${ratio.toFixed(2)} ×`,
    goal: unit === 'rate' ? `≥ ${goals.rate} ×` : `≤ ${goals.ms.toFixed(2)} ×`,
    met: unit === 'rate' ? ratio >= goals.rate : ratio <= goals.ms,
  }
}

/** Returns the sizes of the largest tables and of their indexes. */
async function sizes(sql: Shop['sql']): Promise<string> {
  const rows = await sql<{ line: string }[]>`
    select format('%s %s: %s rows, %s MB, indexes %s MB, %s dead, vacuumed %s times', schemaname, relname, n_live_tup,
      pg_table_size(relid) / 1000000, pg_indexes_size(relid) / 1000000, n_dead_tup, autovacuum_count) as line
    from pg_stat_user_tables where schemaname <> 'drizzle' order by pg_total_relation_size(relid) desc limit 7`
  return rows.map(({ line }) => line).join('\n')
}
