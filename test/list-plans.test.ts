import postgres from 'postgres'
import * as z from 'zod'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Collection, type FindCursor } from 'mongodb'
import { copyHistory, copyShoppers } from '../demo/large/copy-shop.ts'
import { pastOrders, shoppersOf, skuOf, type Sizes } from '../demo/large/dataset.ts'
import { domainNames, domains, operations, type Domain, type OperationName } from '../functions/table.ts'
import type { User } from '../functions/shared/auth/access-token.ts'
import type { Db } from '../functions/shared/store/postgres.ts'
import products from '../functions/products/fixtures.ts'
import { contractOf, isList, those, type Row } from './contract/operations.ts'
import { openShop, type TestShop } from './shop.ts'

/** Every list reads its page from an index, whatever it is filtered and sorted by: see the plans of its real queries. */

const sizes: Sizes = { products: 300, users: 10_000, orders: 8_000, fresh: 0 }
/** A table with at least this many rows is large. */
const large = 1_000
/** The most rows that a page of 20 may read of a large table. */
const mostRead = 1_000

const end = new Date()
const shoppers = shoppersOf(sizes, end)
const [first] = shoppers

let shop: TestShop
let paymentId: string
let orderId: string
const isPostgres = (domain: Domain) => domains[domain].store === 'postgres'
const domainsWithLists = [...new Set(those(isList).map(([name]) => operations[name].domain))]

beforeAll(async () => {
  shop = await openShop(domainNames)
  const sql = postgres(shop.admin, { max: 1, onnotice: () => {} })
  try {
    await copyShoppers(sql, shoppers, 'no hash')
    await sql`
      insert into stock.items (sku, seller_id, available, received)
      select ${skuOf(0).slice(0, -5)} || lpad(n::text, 5, '0'), ${shop.users.seller.id}, 10, 10
      from generate_series(1, ${sizes.products}) as n`
    await copyHistory(sql, { sizes, shoppers, end, seller: shop.users.seller, staff: shop.users.staff })
    await sql`
      insert into coupons.coupons (id, code, percent, valid_from, skus, categories, ended_at)
      select uuidv7(n * interval '-1 hour'), 'CODE' || n, 10, now(), '[]', '[]', case when n % 2 = 0 then now() end
      from generate_series(1, 3000) as n`
    await sql`
      insert into users.sessions (id, user_id, expires_at)
      select uuidv7(n * interval '-1 minute'), id, now() + interval '1 day'
      from generate_series(1, 3) as n, users.users where email is not null`
    await sql`
      insert into customers.payment_methods (id, customer_id, is_default, card_token, brand, last4)
      select uuidv7(), id, true, 'card_approved', 'visa', '4242' from customers.customers`
    const sellers = [shop.users.seller.id, shop.users.admin.id]
    await sql`
      insert into notifications.webhook_endpoints (id, user_id, url, events)
      select id::uuid, id::uuid, 'https://example.com/', '[]' from unnest(${sellers}::text[]) as id`
    await sql`
      insert into notifications.webhook_deliveries (id, endpoint_id, event_id, type, body, status)
      select uuidv7(n * interval '-1 minute'), id::uuid, uuidv7(), 'order.placed', '{}',
        (array['pending', 'delivered', 'failed'])[1 + n % 3]
      from generate_series(1, 2000) as n, unnest(${sellers}::text[]) as id`
    await sql`vacuum (analyze)`
    const [refund] = await sql<{ id: string }[]>`
      update payments.payments set customer_id = ${first!.id}
      where id = (select payment_id from payments.refunds limit 1) returning id`
    paymentId = refund!.id
    orderId = [...pastOrders(sizes, shoppers, end)].find(({ shopper }) => shopper === first)!.id
  } finally {
    await sql.end()
  }
}, 120_000)
afterAll(() => shop.close())

/** Values of the filters that have no list of values. */
const values: Record<string, () => readonly string[]> = {
  customerId: () => [first!.id],
  orderId: () => [orderId],
  // of many, of few, and of none
  q: () => ['Garcia', '1234', 'nobody'],
  code: () => ['CODE7'],
  country: () => ['DE'],
}

/** The resources that the paths of lists name. */
const parameters: Record<string, (as: User) => string> = {
  '/api/v1/customers/{id}/addresses': () => first!.id,
  '/api/v1/customers/{id}/payment-methods': () => first!.id,
  '/api/v1/payments/{id}/refunds': () => paymentId,
  '/api/v1/stock/{sku}/history': () => skuOf(0),
  // everybody has an endpoint with the own id
  '/api/v1/webhook-endpoints/{id}/deliveries': ({ id }) => id,
}

const querySchemaOf = (name: OperationName) =>
  contractOf(name).request.query as z.ZodObject<Record<string, z.ZodType>>

/** Returns the values of a parameter with which a list is tried. */
function valuesOf(name: OperationName, parameter: string): readonly string[] {
  const schema = z.toJSONSchema(querySchemaOf(name).shape[parameter]!, { io: 'input' }) as { enum?: string[] }
  const known = schema.enum ?? values[parameter]?.()
  if (known === undefined) throw new Error(`${name}: give values of ${parameter} to try`)
  return known
}

/** Returns the queries of a list: each value of each filter, and filters in pairs, all of them with every sort. */
function queriesOf(name: OperationName): string[] {
  const names = Object.keys(querySchemaOf(name).shape).filter(
    (each) => !['limit', 'cursor', 'sort'].includes(each),
  )
  const filters = names.map((each) =>
    valuesOf(name, each).map((value) => `${each}=${encodeURIComponent(value)}`),
  )
  const pairs = filters.flatMap(([one], i) => filters.slice(i + 1).map(([other]) => `${one}&${other}`))
  const hasSorts = 'sort' in querySchemaOf(name).shape
  const sorts = hasSorts ? valuesOf(name, 'sort').map((sort) => `sort=${sort}`) : ['']
  return ['', ...filters.flat(), ...pairs].flatMap((filter) =>
    sorts.map((sort) => [filter, sort].filter(Boolean).join('&')),
  )
}

/** Returns who may read a list: staff see other rows than customers. */
function callersOf({ by }: Row): User[] {
  const customer: User = { ...shop.users.customer, id: first!.id }
  if (by === 'user') return [customer, shop.users.staff]
  return by === 'anyone' ? [customer] : [shop.users[by[0]!]]
}

interface Query {
  text: string
  parameters: unknown[]
}

/** Notes the queries of every domain while work runs. */
async function queriesDuring(work: () => Promise<unknown>): Promise<(Query & { db: Db })[]> {
  const found: (Query & { db: Db })[] = []
  const dbs = domainsWithLists
    .filter(isPostgres)
    .map((domain) => (shop.deps(domain) as unknown as { db: Db }).db)
  // the client calls this, if it is there, with each query that it sends
  const optionsOf = (db: Db) => db.client.options as { debug?: unknown }
  for (const db of dbs)
    optionsOf(db).debug = (_: number, text: string, given: unknown[]) =>
      found.push({ text, parameters: given, db })
  await work()
  for (const db of dbs) optionsOf(db).debug = undefined
  return [
    ...new Map(
      found
        .filter(({ text }) => /^\s*[(]?\s*select/i.test(text) && !text.includes('ended_sessions'))
        .map((query) => [JSON.stringify([query.text, query.parameters]), query]),
    ).values(),
  ]
}

interface Plan {
  'Node Type': string
  Schema?: string
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  Plans?: Plan[]
}

/** Returns what is wrong with a plan. */
function faultsOf(plan: Plan, rowsOf: ReadonlyMap<string, number>): string[] {
  const below = (plan.Plans ?? []).flatMap((each) => faultsOf(each, rowsOf))
  const table = `${plan.Schema}.${plan['Relation Name']}`
  if (plan['Relation Name'] === undefined || (rowsOf.get(table) ?? 0) < large) return below
  const { 'Rows Removed by Filter': filtered = 0, 'Rows Removed by Index Recheck': rechecked = 0 } = plan
  const read = (plan['Actual Rows'] + filtered + rechecked) * plan['Actual Loops']
  if (plan['Node Type'].includes('Seq Scan')) return [...below, `scans all of ${table}`]
  return read > mostRead ? [...below, `reads ${read} rows of ${table}`] : below
}

/** Returns what is wrong with the plans of queries. */
async function faultsIn(queries: readonly (Query & { db: Db })[]): Promise<string[]> {
  const sql = postgres(shop.admin, { max: 1, onnotice: () => {} })
  try {
    const sizesOf = await sql<{ name: string; rows: number }[]>`
      select relnamespace::regnamespace || '.' || relname as name, reltuples as rows from pg_class where relkind = 'r'`
    const rowsOf = new Map(sizesOf.map(({ name, rows }) => [name, rows]))
    const faults: string[] = []
    for (const { text, parameters: given, db } of queries) {
      const [row] = (await db.client.unsafe(
        `explain (analyze, verbose, format json) ${text}`,
        given as string[],
      )) as unknown as [{ 'QUERY PLAN': [{ Plan: Plan }] | string }]
      const plans = row['QUERY PLAN']
      const [{ Plan: plan }] = typeof plans === 'string' ? (JSON.parse(plans) as [{ Plan: Plan }]) : plans
      for (const fault of faultsOf(plan, rowsOf)) faults.push(`${fault}: ${text}`)
    }
    return faults
  } finally {
    await sql.end()
  }
}

/** Returns the path of a list, with what it names. */
function pathOf({ path }: Row, parameter: string | undefined): string {
  if (parameter === undefined) throw new Error(`${path}: say which resource it is to name`)
  return path.replace('/api/v1', '').replace(/\{\w+\}/, parameter)
}

describe('a list in PostgreSQL', () => {
  const lists = those((row, contract) => isList(row, contract) && isPostgres(row.domain))

  it.each(lists)(
    'reads its pages from an index, with every filter and sort: %s',
    async (name, row) => {
      const faults = new Set<string>()
      for (const as of callersOf(row))
        for (const query of queriesOf(name)) {
          const path = pathOf(row, row.path.includes('{') ? parameters[row.path]?.(as) : '')
          let statuses: number[] = []
          const queries = await queriesDuring(async () => {
            const { status, body } = await shop.get(`${path}?${query}`, { as })
            statuses = [status]
            if (body.next !== undefined)
              statuses.push((await shop.get(`${path}?${query}&cursor=${body.next}`, { as })).status)
          })
          expect(
            statuses.every((status) => status === 200),
            `${path}?${query} as ${as.role}: ${statuses.join()}`,
          ).toBe(true)
          expect(queries.length).toBeGreaterThan(0)
          for (const fault of await faultsIn(queries)) faults.add(`${query} as ${as.role} ${fault}`)
        }
      expect([...faults]).toEqual([])
    },
    120_000,
  )
})

interface FindCommand {
  filter: Record<string, unknown>
  sort?: Record<string, number>
}

type Keys = [name: string, direction: number][]

/**
 * Returns whether an index gives what is asked for in its order: it begins with fields of which the filter has the values, and
 * goes on with those of the sort, all in their directions or all in the others. (What the embedded server says of its plans
 * is not always what it does.)
 */
function givesInOrder(keys: Keys, { filter, sort = {} }: FindCommand): boolean {
  const sorted = Object.entries(sort)
  const isGiven = ([name]: Keys[number]) =>
    name in filter && (filter[name] === null || typeof filter[name] !== 'object')
  const isSorted = (given: Keys) =>
    given.length === sorted.length &&
    [1, -1].some((turn) =>
      given.every(([name, way], i) => name === sorted[i]![0] && way * turn === sorted[i]![1]),
    )
  // its first field must at least have a range
  return (
    keys[0]![0] in filter &&
    keys.some((_, n) => keys.slice(0, n).every(isGiven) && isSorted(keys.slice(n, n + sorted.length)))
  )
}

describe('a list in MongoDB', () => {
  const lists = those((row, contract) => isList(row, contract) && !isPostgres(row.domain))
  const resources: Record<string, () => string> = {
    '/api/v1/products/{id}/reviews': () => productId,
    '/api/v1/sellers/{id}/products': () => shop.users.seller.id,
  }
  let productId: string
  beforeAll(async () => {
    ;({
      parameters: { id: productId },
    } = await products.resources['/api/v1/products/{id}'].create(shop))
  })

  it.each(lists)('reads its pages from an index, with every sort: %s', async (name, row) => {
    const path = pathOf(row, row.path.includes('{') ? resources[row.path]?.() : '')
    const hasSorts = 'sort' in querySchemaOf(name).shape
    const queries = hasSorts ? valuesOf(name, 'sort').map((sort) => `&sort=${sort}`) : ['']
    // what is searched is kept in memory, which the first request reads
    await shop.get('/products')
    const find = vi.spyOn(Collection.prototype, 'find')
    let found: { cursor: FindCursor; collection: Collection }[]
    try {
      for (const query of queries) {
        const { status, body } = await shop.get(`${path}?limit=1${query}`)
        expect(status).toBe(200)
        if (body.next !== undefined) await shop.get(`${path}?limit=1${query}&cursor=${body.next}`)
      }
      found = find.mock.results.map(({ value }, i) => ({
        cursor: value as FindCursor,
        collection: find.mock.contexts[i] as Collection,
      }))
    } finally {
      find.mockRestore()
    }
    expect(found).not.toHaveLength(0)
    const slow: FindCommand[] = []
    for (const { cursor, collection } of found) {
      const { command } = (await cursor.clone().explain()) as { command: FindCommand }
      const indexes = (await collection.indexes()) as { key: Record<string, number> }[]
      if (!indexes.some(({ key }) => givesInOrder(Object.entries(key), command))) slow.push(command)
    }
    expect(slow).toEqual([])
  })
})
