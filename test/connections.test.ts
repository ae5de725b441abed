import { setTimeout } from 'node:timers/promises'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { poolSize as dispatcherPool } from '../events/dispatcher-main.ts'
import { poolSize as relayPool } from '../events/relay-main.ts'
import { domains, functions } from '../functions/table.ts'
import { changesOf } from '../functions/shared/store/notifications.ts'
import { openPostgres, poolSize } from '../functions/shared/store/postgres.ts'
import { maxConnections } from '../local/stores/postgres.ts'
import { openShop, type TestShop } from './shop.ts'

/** What LISTEN takes beside the pool. */
const listening = 1

/** Those that PostgreSQL keeps for superusers, and what is run by hand: migration, seed, dead-letters, psql. */
const others = 3 + 5

describe('the connections to PostgreSQL', () => {
  it('are enough for every function at its max scale', () => {
    const rows = Object.values(functions).filter(({ domain }) => domains[domain].store === 'postgres')
    expect(rows.length).toBeGreaterThan(30)
    const instances = rows.reduce((sum, { maxScale }) => sum + maxScale, 0)
    const watchers = functions['watch-order'].maxScale * listening
    const services = relayPool + listening + dispatcherPool
    expect(instances * poolSize + watchers + services + others).toBeLessThanOrEqual(maxConnections)
  })

  it('are allowed by the server', async () => {
    const client = postgres(inject('stores').postgres, { max: 1 })
    const [row] = await client`select current_setting('max_connections')::int as max,
      current_setting('superuser_reserved_connections')::int as reserved`
    await client.end()
    expect(row).toEqual({ max: maxConnections, reserved: 3 })
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

  it('has no more connections than are counted, whatever is asked of it', async () => {
    const db = openPostgres(shop.database('orders'), { name: 'crowded' })
    const busy = Promise.all(Array.from({ length: 20 }, () => db.client`select pg_sleep(0.05)`))
    await setTimeout(150)
    expect(await count('crowded')).toBe(poolSize)
    const change = changesOf(db).next(5_000)
    await expect.poll(() => count('crowded')).toBe(poolSize + listening)
    db.wake()
    await Promise.all([busy, change])
    expect(await count('crowded')).toBe(poolSize + listening)
    await db.client.end()
  })
})
