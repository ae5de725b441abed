import { setTimeout as pause } from 'node:timers/promises'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openProcesses, type Environment, type Processes } from '../test/processes.ts'
import type { TestShop } from '../test/shop.ts'
import journal from './orders/migrations/meta/_journal.json' with { type: 'json' }
import { migrations as products } from './products/migrations/index.ts'

/** The version of the orders' schema. */
const ordersVersion = journal.entries.length
const nowhere = 'postgres://orders:x@127.0.0.1:9/none'

let processes: Processes
let shop: TestShop
let good: Environment
let migration: Environment
beforeAll(async () => {
  processes = await openProcesses()
  ;({ shop, good, migration } = processes)
})
afterEach(() => processes.killAll())
afterAll(() => processes.close())

describe('a process that cannot use its store', () => {
  const cases: [what: string, env: () => Environment, says: string | RegExp][] = [
    [
      'while PostgreSQL does not answer',
      () => ({ ...good, DATABASE_URL: nowhere }),
      'DATABASE_URL: PostgreSQL cannot be used (ECONNREFUSED). Start it, or set DATABASE_URL to its address.',
    ],
    [
      'if PostgreSQL rejects the password',
      () => ({ ...good, DATABASE_URL: shop.database('orders').replace(':test@', ':tset@') }),
      'DATABASE_URL: PostgreSQL cannot be used (it refuses the role or its password). Start it, or set DATABASE_URL to its address.',
    ],
    [
      'while MongoDB does not answer',
      () => ({ ...good, FUNCTION: 'get-product', MONGODB_URL: 'mongodb://127.0.0.1:9/none' }),
      /^MONGODB_URL: MongoDB cannot be used \(.+\)\. Start it, or set MONGODB_URL to its address\.$/,
    ],
    [
      'while NATS does not answer',
      () => ({
        ...good,
        FUNCTION: 'dispatcher',
        DATABASE_URL: shop.database('events'),
        NATS_URL: 'nats://127.0.0.1:9',
      }),
      'NATS_URL: NATS cannot be used (CONNECTION_REFUSED). Start it, or set NATS_URL to its address.',
    ],
    [
      'on a PostgreSQL database that was never migrated',
      () => ({ ...good, DATABASE_URL: shop.database('orders').replace(/[^/]+$/, 'postgres') }),
      `The orders data in PostgreSQL is older than this code (version 0 of ${ordersVersion}). Run the migration first (FUNCTION=migrate).`,
    ],
    [
      'on a MongoDB database that was never migrated',
      () => ({ ...good, FUNCTION: 'get-product', MONGODB_URL: shop.mongodb.replace(/[^/]+(?=\?)/, 'none') }),
      `The products data in MongoDB is older than this code (version 0 of ${products.length}). Run the migration first (FUNCTION=migrate).`,
    ],
    [
      'to migrate with the URL of the wrong role',
      () => ({ ...migration, USERS_DATABASE_URL: shop.database('stock') }),
      'USERS_DATABASE_URL does not log in as the role users with a password. Set it to postgres://users:…@host/database.',
    ],
    [
      'to migrate while PostgreSQL does not answer',
      () => ({ ...migration, ADMIN_DATABASE_URL: nowhere }),
      'PostgreSQL cannot be migrated (ECONNREFUSED). Fix the cause and run the migration again.',
    ],
    [
      'to migrate as a role without the rights',
      () => ({ ...migration, ADMIN_DATABASE_URL: shop.database('orders') }),
      'The role in ADMIN_DATABASE_URL may not create roles and schemas. Use one that may.',
    ],
  ]
  it.each(cases)('%s says so in one line and exits with 1', async (_, env, says) => {
    const said = await processes.refusal(env())
    if (typeof says === 'string') expect(said).toBe(says)
    else expect(said).toMatch(says)
  })
})

describe('a process and the version of its store', () => {
  it('fails on data with a breaking migration by a newer Zeroshop, also to migrate', async () => {
    const sql = postgres(shop.admin, { max: 1 })
    const newer = ordersVersion + 1
    await sql`update drizzle.versions set version = ${newer}, oldest = ${newer} where domain = 'orders'`
    for (const env of [good, migration])
      expect(await processes.refusal(env)).toBe(
        `The orders data in PostgreSQL was migrated by a newer Zeroshop (version ${newer}), which this code (version ${ordersVersion}) cannot use. Run version ${newer} or newer, or use another database.`,
      )
    await sql`update drizzle.versions set version = ${ordersVersion}, oldest = 0 where domain = 'orders'`
    await sql.end()
  })

  it('fails to migrate a database that is not in UTF-8', async () => {
    const admin = postgres(shop.admin, { max: 1 })
    await admin`create database ascii encoding 'SQL_ASCII' locale 'C' locale_provider 'libc' template template0`
    try {
      const url = Object.assign(new URL(shop.admin), { pathname: '/ascii' }).href
      expect(await processes.refusal({ ...migration, ADMIN_DATABASE_URL: url })).toBe(
        "The database ascii has the encoding SQL_ASCII. Create one with: create database shop encoding 'UTF8' template template0.",
      )
    } finally {
      await admin`drop database ascii`
      await admin.end()
    }
  })

  it('works on data that a newer Zeroshop has only added to, and leaves it unchanged', async () => {
    const sql = postgres(shop.admin, { max: 1 })
    const newer = { version: ordersVersion + 1, oldest: 0 }
    await sql`update drizzle.versions set version = ${newer.version} where domain = 'orders'`
    expect(await processes.start(migration).exited).toEqual([0, null])
    expect(await processes.start(good).port).toBeGreaterThan(0)
    expect(await sql`select version, oldest from drizzle.versions where domain = 'orders'`).toEqual([newer])
    await sql`update drizzle.versions set version = ${ordersVersion} where domain = 'orders'`
    await sql.end()
  })

  it('waits for the migration of its domain', async () => {
    const sql = postgres(shop.admin, { max: 1 })
    await sql`update drizzle.versions set version = 0 where domain = 'orders'`
    const { port, exited } = processes.start({ ...good, STORE_WAIT_SECONDS: '30' })
    const first = await Promise.race([port, exited, pause(1_000, 'waits')])
    expect(first).toBe('waits')
    await sql`update drizzle.versions set version = ${ordersVersion} where domain = 'orders'`
    expect(await port).toBeGreaterThan(0)
    await sql.end()
  })

  it('can migrate repeatedly and concurrently', async () => {
    const both = [migration, migration].map((env) => processes.start(env).exited)
    expect(await Promise.all(both)).toEqual([
      [0, null],
      [0, null],
    ])
  })
})
