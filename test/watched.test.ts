import { afterAll, beforeAll, expect, it } from 'vitest'
import { listens } from '../functions/deployment.ts'
import { domainsIn, functionsOf } from '../functions/table.ts'
import { changesOf } from '../functions/shared/store/notifications.ts'
import { openPostgres, type Db } from '../functions/shared/store/postgres.ts'
import { openShop, type TestShop } from './shop.ts'

const domains = domainsIn('postgres')
let shop: TestShop
let watcher: Db
beforeAll(async () => {
  shop = await openShop([...domains])
  watcher = openPostgres(shop.database('orders'))
})
afterAll(async () => {
  await watcher.close()
  await shop.close()
})

const dbOf = (domain: (typeof domains)[number]) => (shop.deps(domain) as { db: Db }).db

it.each(domains)(
  '%s tells of commits without events if a function of it listens, and only then',
  (domain) => {
    expect(dbOf(domain).isWatched).toBe(functionsOf(domain).some(listens))
  },
)

it('nobody is woken by a commit without events in a domain that nobody watches', async () => {
  const changes = changesOf(watcher)
  // until it listens
  const woken = async () => {
    const change = changes.next(100).then(() => performance.now())
    const began = performance.now()
    dbOf('orders').wake(false)
    return (await change) - began < 90
  }
  await expect.poll(woken).toBe(true)
  const began = performance.now()
  const change = changes.next(400)
  for (const domain of domains) if (!dbOf(domain).isWatched) dbOf(domain).wake(false)
  await change
  expect(performance.now() - began).toBeGreaterThan(390)
})
