import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { secretsFolder } from '../../compose/secrets.ts'
import { databaseRoles } from '../../functions/table.ts'
import { expecting, newOrder, placeOrder, readPrices } from '../../demo/client/orders.ts'
import type { Person } from '../../demo/client/shop.ts'
import { waitForEntries } from '../../demo/client/timeline.ts'
import { steadyLoad } from '../load.ts'
import { shop } from './shop.ts'

const secret = (name: string) => readFileSync(join(secretsFolder, name), 'utf8').trim()
const passwordOf = (role: string) => new URL(secret(`${role}-database-url`)).password

let customer: Person
beforeAll(async () => {
  customer = await (await shop.client()).unchecked.register()
})

/** Runs a statement. Returns its rows as arrays of columns. */
async function psql(host: string, user: string, password: string, database: string, statement: string) {
  const options = `-Atq -h ${host} -U ${user} -d ${database} -c`.split(' ')
  const run = ['exec', '-T', '-e', `PGPASSWORD=${password}`, 'postgres', 'psql', ...options, statement]
  return (await shop.compose(...run))
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('|'))
}
const pooled = (role: string, statement: string, password = passwordOf(role)) =>
  psql('pgbouncer', role, password, 'zeroshop', statement)
const show = (statement: string) =>
  psql('pgbouncer', 'pgbouncer', secret('pgbouncer-password'), 'pgbouncer', statement)
const direct = (statement: string) =>
  psql('postgres', 'postgres', secret('postgres-password'), 'zeroshop', statement)

/** Returns the address that the pooler connects from. */
const pooler = async () => (await pooled('orders', 'select host(inet_client_addr())'))[0]![0]!

describe('the pooler', () => {
  it('handles all connections of functions to PostgreSQL, except those that listen', async () => {
    const { id } = await placeOrder(customer, [{ sku: 'MUG-BLUE', quantity: 1 }])
    const { response: stream } = await customer.GET('/orders/{id}/events', {
      params: { path: { id } },
      parseAs: 'stream',
    })
    await waitForEntries(customer, id, 'order.confirmed')
    const sessions = await direct(`select usename, application_name, client_addr = '${await pooler()}'
      from pg_stat_activity where usename = any('{${databaseRoles.join()}}')`)
    const past = sessions.filter(([, , isPooled]) => isPooled === 'f').map(([, name]) => name)
    expect(new Set(past)).toEqual(new Set(['relay', 'watch-order']))
    const pooledRoles = sessions.filter(([, , isPooled]) => isPooled === 't').map(([role]) => role)
    expect(pooledRoles).toContain('orders')
    const listening = await direct(
      `select application_name from pg_stat_activity where query ilike 'listen %' order by 1`,
    )
    expect(listening.flat()).toEqual(['relay', 'watch-order'])
    await stream.body!.cancel()
  })

  it('serves many clients with the few connections that a role may have', async () => {
    const read = () => customer.GET('/orders', { params: { query: { limit: 1 } } })
    const sku = 'MUG-RED'
    const order = newOrder([{ sku, quantity: 1 }], 'card_declined')
    const body = expecting(order, await readPrices(customer, [sku]))
    const place = () => customer.POST('/orders', { body })
    const loads = [steadyLoad(read, { atOnce: 20 }), steadyLoad(place, { atOnce: 20 })]
    await expect
      .poll(() => Math.min(...loads.map((load) => load.count())), { timeout: 60_000 })
      .toBeGreaterThan(40)
    const config = (await show('show config')).find(([name]) => name === 'default_pool_size')
    const pools = await direct(`select usename, count(*) from pg_stat_activity
      where client_addr = '${await pooler()}' group by 1`)
    const statuses = await Promise.all(loads.map((load) => load.stop()))
    expect(statuses.map((each) => Object.keys(each))).toEqual([['200'], ['201']])
    expect(pools.map(([role]) => role)).toContain('orders')
    for (const [role, count] of pools)
      expect([role, Number(count)]).toSatisfy(([, n]: [string, number]) => n <= Number(config![1]))
  })

  it.each(databaseRoles)('keeps the timeouts of the role %s', async (role) => {
    const settings = ['statement_timeout', 'lock_timeout', 'transaction_timeout', 'synchronous_commit']
    const [found] = await pooled(
      role,
      `select ${settings.map((name) => `current_setting('${name}')`).join()}`,
    )
    expect(found).toEqual(['5s', '3s', '20s', 'on'])
  })

  it('accepts a new password at once, and no longer the old one', async () => {
    const old = passwordOf('payments')
    try {
      await direct(`alter role payments password 'changed'`)
      expect(await pooled('payments', 'select 1', 'changed')).toEqual([['1']])
      await expect(pooled('payments', 'select 1', old)).rejects.toThrow('SASL authentication failed')
    } finally {
      await direct(`alter role payments password '${old}'`)
    }
    expect(await pooled('payments', 'select 1')).toEqual([['1']])
  })

  it('refuses superusers, wrong passwords and other databases', async () => {
    await expect(pooled('postgres', 'select 1', secret('postgres-password'))).rejects.toThrow('no such user')
    await expect(pooled('orders', 'select 1', 'guessed')).rejects.toThrow('SASL authentication failed')
    await expect(psql('pgbouncer', 'orders', passwordOf('orders'), 'postgres', 'select 1')).rejects.toThrow(
      'SASL authentication failed',
    )
  })
})
