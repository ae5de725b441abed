import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { sourceOf } from '../events/event.ts'
import {
  databaseRoles,
  domainNames,
  domainsIn,
  events,
  reactions,
  type DatabaseRole,
} from '../functions/table.ts'
import { errorCode } from '../functions/shared/store/store-errors.ts'
import { openShop, type TestShop } from './shop.ts'

const ofDomains = ['insert events.inbox', 'insert events.outbox']

/** What only some domains may do in the schema of event delivery. */
const ofSome: Partial<Record<DatabaseRole, string[]>> = {
  customers: ['insert events.secrets'],
  invoices: ['delete events.secrets', 'select events.secrets'],
  notifications: ['delete events.secrets', 'select events.secrets'],
  orders: ['insert events.secrets', 'select events.state_for_orders'],
  payments: ['delete events.secrets', 'select events.secrets'],
  users: ['insert events.secrets'],
}

/** The tables of which a role has fewer rights than of the others in its schema. */
const restricted: Readonly<Record<string, string[]>> = {
  // to delete what is old, but not to read it
  'events.secrets': ['delete events.secrets', 'select events.secrets.at'],
  // what is issued is never changed
  'invoices.invoices': ['insert invoices.invoices', 'select invoices.invoices'],
}

/** The rights of each PostgreSQL role outside its own schema. The list is complete. */
const elsewhere = (role: DatabaseRole): string[] =>
  role === 'events'
    ? // to delete expired idempotency keys
      domainsIn('postgres').flatMap((schema) => [
        `delete ${schema}.idempotency_keys`,
        `select ${schema}.idempotency_keys.at`,
      ])
    : [...ofDomains, ...(ofSome[role] ?? [])]

/** PostgreSQL's codes for a missing privilege, and for a statement about a table that names a view. */
const refusals = new Set<string | undefined>(['42501', '42809'])

const isRefusedByPolicy = (error: unknown) =>
  error instanceof Error && error.message.startsWith('new row violates row-level security policy')

interface Table {
  schema: string
  name: string
  columns: string[]
}

let shop: TestShop
let tables: Table[]
let sql: Record<DatabaseRole, postgres.Sql>

beforeAll(async () => {
  shop = await openShop([])
  const url = new URL(inject('stores').postgres)
  url.pathname = new URL(shop.database('events')).pathname
  const admin = postgres(url.href, { max: 1 })
  tables = await admin<Table[]>`
    select n.nspname as schema, c.relname as name,
      array(select attname::text from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped order by attnum) as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'v', 'm', 'p') and n.nspname !~ '^(pg_|information_schema)'`
  await admin.end()
  // every role is a key
  sql = Object.fromEntries(
    databaseRoles.map((role) => [role, postgres(shop.database(role), { max: 1, onnotice: () => {} })]),
  ) as typeof sql
})
afterAll(async () => {
  await Promise.all(Object.values(sql).map((client) => client.end()))
  await shop.close()
})

/** Runs a statement and rolls it back. */
async function attempt(role: DatabaseRole, statement: string): Promise<void> {
  const connection = await sql[role].reserve()
  try {
    await connection`begin`
    await connection.unsafe(statement)
  } finally {
    await connection`rollback`
    connection.release()
  }
}

/** Returns whether a role may run a statement. */
async function may(role: DatabaseRole, statement: string): Promise<boolean> {
  try {
    await attempt(role, statement)
    return true
  } catch (error) {
    // another error, as for a column that must not be null, means that the role has the right; so does a policy
    // that refuses the row
    return !refusals.has(errorCode(error)) || isRefusedByPolicy(error)
  }
}

/** Returns a role's rights on the tables for which `are` is true, as `verb schema.table`. */
async function rights(role: DatabaseRole, are: (table: Table) => boolean): Promise<string[]> {
  const found: string[] = []
  for (const { schema, name, columns } of tables.filter(are)) {
    const table = `${schema}.${name}`
    const statements = {
      [`select ${table}`]: `select * from ${table}`,
      [`insert ${table}`]: `insert into ${table} default values`,
      [`update ${table}`]: `update ${table} set ${columns.map((c) => `"${c}" = default`).join()}`,
      [`delete ${table}`]: `delete from ${table}`,
      [`truncate ${table}`]: `truncate ${table}`,
      [`lock ${table}`]: `lock table ${table} in access exclusive mode`,
      [`rename ${table}`]: `alter table ${table} rename to taken`,
      [`drop ${table}`]: `drop table ${table} cascade`,
      [`own ${table}`]: `alter table ${table} owner to current_user`,
      [`index ${table}`]: `create index on ${table} (("${columns[0]}"::text))`,
      [`trigger ${table}`]: `create trigger hook after insert on ${table} execute function suppress_redundant_updates_trigger()`,
    }
    const allowed: string[] = []
    for (const [right, statement] of Object.entries(statements))
      if (await may(role, statement)) allowed.push(right)
    if (!allowed.includes(`select ${table}`))
      for (const column of columns)
        if (await may(role, `select "${column}" from ${table}`)) allowed.push(`select ${table}.${column}`)
    // the right to delete includes the right to lock
    found.push(...allowed.filter((right) => !right.startsWith('lock')))
  }
  return found.toSorted()
}

describe('the database', () => {
  it('has the tables of every role', () => {
    const schemas = new Set(tables.map(({ schema }) => schema))
    expect([...schemas].toSorted()).toEqual([...databaseRoles, 'drizzle'].toSorted())
    expect(tables.length).toBeGreaterThan(15)
  })
})

describe('the state events of a domain', () => {
  it('are those that its projections are made from, and no others', async () => {
    const other = { orderId: uuidv7(), version: 1 }
    await sql.events`insert into events.outbox (id, type, source, subject, data, version) values
      (${uuidv7()}, 'product.updated', '/products', 'SKU', '{}', 1),
      (${uuidv7()}, 'product.updated', '/products', 'SKU', '{}', null),
      (${uuidv7()}, 'order.placed', '/orders', 'ORDER', ${sql.events.json(other)}, 1)`
    expect(await sql.orders`select type, subject, version from events.state_for_orders`).toEqual([
      { type: 'product.updated', subject: 'SKU', version: 1 },
    ])
  })
})

describe('a secret', () => {
  it('is read and deleted only by the domain that it is left for', async () => {
    const left = [uuidv7(), uuidv7()] as const
    await sql.orders`insert into events.secrets (subject, recipient, secret) values
      (${left[0]}, 'payments', 'for payments'), (${left[1]}, 'stock', 'for stock')`
    expect(await sql.payments`select secret from events.secrets`).toEqual([{ secret: 'for payments' }])
    expect(await sql.payments`delete from events.secrets where true`).toHaveProperty('count', 1)
    expect(await sql.events`delete from events.secrets where at <= now()`).toHaveProperty('count', 1)
  })
})

describe.each(databaseRoles)('the role %s', (role) => {
  it('reads and writes in its own schema, and cannot alter its tables', async () => {
    const own = tables.filter(({ schema }) => schema === role)
    expect(await rights(role, ({ schema }) => schema === role)).toEqual(
      own
        .flatMap(
          ({ name }) =>
            restricted[`${role}.${name}`] ??
            ['select', 'insert', 'update', 'delete'].map((verb) => `${verb} ${role}.${name}`),
        )
        .toSorted(),
    )
  })

  it('has no other rights in other schemas than those listed', async () => {
    // every role may read the versions of the schemas
    const all = [...elsewhere(role), 'select drizzle.versions']
    expect(await rights(role, ({ schema }) => schema !== role)).toEqual(all.toSorted())
  })

  it.each([
    `create table ${role}.mine (id int)`,
    `create view ${role}.mine as select 1`,
    `create function ${role}.mine() returns int language sql as 'select 1'`,
    `create type ${role}.mine as enum ('a')`,
    `create sequence ${role}.mine`,
    `alter schema ${role} rename to mine`,
    `drop schema ${role} cascade`,
    'create table public.mine (id int)',
    `create function public.mine() returns int language sql as 'select 1'`,
    'create table mine (id int)',
    'create schema mine',
    'create role mine',
    'create extension pgcrypto',
    'create publication mine for all tables',
    'alter role current_user superuser',
    'set role postgres',
    'set session authorization postgres',
    `copy (select 1) to program 'true'`,
    `select pg_read_file('postgresql.conf')`,
    'select * from pg_authid',
  ])('may not %s', async (statement) => expect(await may(role, statement)).toBe(false))

  it('cannot become another role', async () => {
    for (const other of databaseRoles.filter((other) => other !== role)) {
      expect(await may(role, `set role ${other}`)).toBe(false)
      expect(await may(role, `alter role ${other} password 'stolen'`)).toBe(false)
      expect(await may(role, `grant ${other} to ${role}`)).toBe(false)
    }
  })

  it('needs its password', async () => {
    const url = new URL(shop.database(role))
    url.password = 'guessed'
    const client = postgres(url.href, { max: 1 })
    await expect(client`select 1`).rejects.toMatchObject({ code: '28P01' })
    await client.end()
  })
})

describe.each(domainsIn('postgres'))('the role %s in the schema of events', (role) => {
  /** Returns whether the role may insert the row. */
  const mayInsert = async (table: string, values: Record<string, string>): Promise<boolean> => {
    const columns = Object.keys(values).join()
    const row = Object.values(values).map((value) => `'${value}'`)
    try {
      await attempt(
        role,
        `insert into events.${table} (${columns}) values (${row.join()}) on conflict do nothing`,
      )
      return true
    } catch (error) {
      if (isRefusedByPolicy(error)) return false
      throw error
    }
  }
  const emit = (type: string, source: string) =>
    mayInsert('outbox', { id: randomUUID(), type, source, subject: 'x', data: '{}' })

  it('emits only events of its own, and only in its own name', async () => {
    const accepted: string[] = []
    for (const type of [...Object.keys(events), 'no.such-type'])
      for (const source of domainNames.map(sourceOf))
        if (await emit(type, source)) accepted.push(`${type} from ${source}`)
    const own = Object.entries(events).filter(([, { domain }]) => domain === role)
    expect(accepted).toEqual(own.map(([type]) => `${type} from ${sourceOf(role)}`))
  })

  it('says only for its own reactions that they have handled an event', async () => {
    const accepted: string[] = []
    for (const reaction of [...Object.keys(reactions), 'no-such-reaction'])
      if (await mayInsert('inbox', { reaction, event_id: randomUUID() })) accepted.push(reaction)
    const own = Object.entries(reactions).filter(([, { domain }]) => domain === role)
    expect(accepted).toEqual(own.map(([reaction]) => reaction))
  })
})
