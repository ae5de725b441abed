import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { poolSize as dispatcherPool } from '../events/dispatcher-main.ts'
import { poolSize as relayPool } from '../events/relay-main.ts'
import { listens } from '../functions/deployment.ts'
import { databaseRoles, domains, functions, type FunctionName } from '../functions/table.ts'
import { changesOf } from '../functions/shared/store/notifications.ts'
import { openPostgres, poolSize, roleTimeouts } from '../functions/shared/store/postgres.ts'
import { maxConnections } from '../local/stores/postgres.ts'
import { openShop, type TestShop } from './shop.ts'

/** The connection for LISTEN, which is not part of the pool. */
const listening = 1
const relay = relayPool + listening
/** For the migration with its seed, and for commands that people run, such as dead-letters and psql. */
const others = 2 + 5
/** For the exporter of PostgreSQL's metrics, and for the check of the books. */
const watching = 2
const reservedForSuperusers = 3

const names = (Object.keys(functions) as FunctionName[]).filter(
  (name) => domains[functions[name].domain].store === 'postgres',
)
const instances = (some: FunctionName[]) => some.reduce((sum, name) => sum + functions[name].maxScale, 0)
const listeners = names.filter(listens)

interface Part {
  kind?: string
  spec: {
    replicas?: number
    maxReplicas?: number
    strategy?: { rollingUpdate: { maxSurge: number } }
    template: { spec: { containers: { args?: string[] }[] } }
  }
}

const read = (path: string) => readFileSync(join(import.meta.dirname, '..', path), 'utf8')
const documents = <T>(path: string) =>
  parseAllDocuments(read(path), { merge: true }).map((document) => document.toJS() as T)

/** Returns a setting from a file, such as `max_connections=100`. */
function setting(text: string, name: string): number {
  const [, value] = new RegExp(`\\b${name} ?= ?(\\d+)`).exec(text) ?? []
  if (value === undefined) throw new Error(`${name} is not set`)
  return Number(value)
}

/** Returns the maximum number of pods of a Deployment, including those during a roll-out unless `surge` is false. */
function podsOf(path: string, { surge = true } = {}): number {
  const parts = documents<Part>(path)
  const { replicas = 1, strategy } = parts.find(({ kind }) => kind === 'Deployment')!.spec
  const most = parts.find(({ kind }) => kind === 'HorizontalPodAutoscaler')?.spec.maxReplicas ?? replicas
  return most + (surge ? strategy!.rollingUpdate.maxSurge : 0)
}

describe('the connections of 150 functions like those in the table, each at its max scale,', () => {
  const growth = Math.max(1, 150 / Object.keys(functions).length)
  const pooler = read('compose/pgbouncer.ini')
  const dispatchers = podsOf('knative/base/platform/dispatcher.yaml')
  // one for each domain in PostgreSQL, one for relay and dispatcher, and one in which the pooler looks up passwords
  const pools = Math.ceil((databaseRoles.length - 1) * growth) + 1 + 1

  it('to the pooler are no more than it accepts, even with two versions of each function', () => {
    const wanted = 2 * Math.ceil(instances(names) * growth) * poolSize + dispatchers * dispatcherPool
    const taken = setting(pooler, 'max_client_conn')
    expect(wanted).toBeLessThanOrEqual(taken)
    const [compose] = documents<{ services: { pgbouncer: { ulimits: { nofile: number } } } }>(
      'compose/platform.yaml',
    )
    const files = taken + pools * setting(pooler, 'default_pool_size')
    expect(compose!.services.pgbouncer.ulimits.nofile).toBeGreaterThan(files)
  })

  it.each([
    { where: 'Compose', file: 'compose/platform.yaml', poolers: 1, relays: 1 },
    {
      where: 'Kubernetes',
      file: 'knative/components/stores/postgres.yaml',
      poolers: podsOf('knative/components/stores/pgbouncer.yaml', { surge: false }),
      relays: podsOf('knative/base/platform/relay.yaml'),
    },
  ])('to PostgreSQL are no more than it allows in $where', ({ file, poolers, relays }) => {
    const pooled = poolers * pools * setting(pooler, 'default_pool_size')
    const direct = Math.ceil(instances(listeners) * growth) * listening + relays * relay + others + watching
    const allowed = setting(read(file), 'max_connections') - reservedForSuperusers
    expect(listeners).not.toEqual([])
    expect(pooled + direct).toBeLessThanOrEqual(allowed)
  })
})

describe('the connections of npm start, which has no pooler,', () => {
  it('are enough for all functions at their max scale', () => {
    expect(names.length).toBeGreaterThan(30)
    const functionsOwn = instances(names) * poolSize + instances(listeners) * listening
    expect(functionsOwn + relay + dispatcherPool + others).toBeLessThanOrEqual(
      maxConnections - reservedForSuperusers,
    )
  })

  it('are allowed by the server', async () => {
    const client = postgres(inject('stores').postgres, { max: 1 })
    const [row] = await client`select current_setting('max_connections')::int as max,
      current_setting('superuser_reserved_connections')::int as reserved`
    await client.end()
    expect(row).toEqual({ max: maxConnections, reserved: reservedForSuperusers })
  })
})

describe('a function’s pool', () => {
  let shop: TestShop
  let admin: postgres.Sql
  beforeAll(async () => {
    shop = await openShop([])
    admin = postgres(inject('stores').postgres, { max: 1 })
  })
  afterAll(async () => {
    await admin.end()
    await shop.close()
  })

  const count = async (name: string): Promise<number> => {
    const [row] = await admin<[{ n: number }]>`
      select count(*)::int as n from pg_stat_activity where application_name = ${name}`
    return row.n
  }

  it('opens no more connections than planned, however many queries there are', async () => {
    const db = openPostgres(shop.database('orders'), { name: 'crowded' })
    const busy = Promise.all(Array.from({ length: 20 }, () => db.client`select pg_sleep(0.05)`))
    await setTimeout(150)
    expect(await count('crowded')).toBe(poolSize)
    const change = changesOf(db).next(5_000)
    await expect.poll(() => count('crowded')).toBe(poolSize + listening)
    db.wake()
    await Promise.all([busy, change])
    expect(await count('crowded')).toBe(poolSize + listening)
    await db.close()
  })

  it('listens only on the URL for listening', async () => {
    const listenUrl = new URL(shop.database('orders'))
    listenUrl.searchParams.set('application_name', 'past-the-pooler')
    const db = openPostgres(shop.database('orders'), { name: 'pooled', listenUrl: listenUrl.href })
    const change = changesOf(db).next(5_000)
    await expect.poll(() => count('past-the-pooler')).toBe(listening)
    expect(await count('pooled')).toBe(0)
    db.wake()
    await change
    await db.close()
    await expect.poll(() => count('past-the-pooler')).toBe(0)
  })

  it.each(databaseRoles)('has the timeouts of the role %s without setting them', async (role) => {
    const client = postgres(shop.database(role), { max: 1 })
    const found = await client<{ name: string; ms: number }[]>`
      select name, setting::int as ms from pg_settings where name = any(${Object.keys(roleTimeouts)})`
    await client.end()
    expect(Object.fromEntries(found.map(({ name, ms }) => [name, ms]))).toEqual(roleTimeouts)
  })
})
