import postgres from 'postgres'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { databaseRoles } from '../functions/table.ts'
import { openShop, type TestShop } from './shop.ts'
import { createPooler } from '../functions/shared/store/roles.ts'

let shop: TestShop
let admin: postgres.Sql
let pooler: postgres.Sql
beforeAll(async () => {
  shop = await openShop([])
  admin = postgres(shop.admin, { max: 1, onnotice: () => {} })
  await createPooler(admin, 'first')
  await createPooler(admin, 'second')
  const url = new URL(shop.database('pgbouncer'))
  url.password = 'second'
  pooler = postgres(url.href, { max: 1 })
})
afterAll(async () => {
  await pooler.end()
  await admin`drop owned by pgbouncer`
  await admin`drop role pgbouncer`
  await admin.end()
  await shop.close()
})

const insufficientPrivilege = '42501'

const lookUp = (role: string, client = pooler) =>
  client`select name, password from pgbouncer.password_of(${role})`

it.each(databaseRoles)('lets the pooler look up how to verify the password of %s', async (role) => {
  expect(await lookUp(role)).toEqual([
    { name: role, password: expect.stringMatching(/^SCRAM-SHA-256\$/) as string },
  ])
})

it('lets it look up nothing of superusers, of roles that may not log in, and of none', async () => {
  const [{ user }] = await admin<[{ user: string }]>`select current_user as user`
  for (const role of [user, 'pg_read_all_data', 'nobody'])
    expect([role, ...(await lookUp(role))]).toEqual([role])
})

it('keeps back a password that is no longer valid', async () => {
  await admin`create role pooler_test_ended login password 'test' valid until '2026-01-01'`
  expect(await lookUp('pooler_test_ended')).toEqual([{ name: 'pooler_test_ended', password: null }])
  await admin`drop role pooler_test_ended`
})

it.each([...databaseRoles])('does not let the role %s look up anything', async (role) => {
  const client = postgres(shop.database(role), { max: 1 })
  await expect(lookUp(role, client)).rejects.toMatchObject({ code: insufficientPrivilege })
  await client.end()
})

it('gives the pooler no table', async () => {
  const [{ tables }] = await pooler<[{ tables: number }]>`
    select count(*)::int as tables from pg_class join pg_namespace n on n.oid = relnamespace
    where relkind in ('r', 'p', 'v', 'm') and nspname !~ '^(pg_|information_schema)'
      and has_table_privilege(pg_class.oid, 'select, insert, update, delete')`
  expect(tables).toBe(0)
})
