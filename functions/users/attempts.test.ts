import { eq } from 'drizzle-orm'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { newEmail } from '../../test/accounts.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { openPostgres, type Db } from '../shared/store/postgres.ts'
import { limits, openAttempts } from './attempts.ts'
import { attempts } from './session.ts'

let shop: TestShop
/** Stand in for several processes: each has its own connections and limiters. */
let processes: Db[]

beforeAll(async () => {
  shop = await openShop(['users'])
  const { host, port, user, pass, database } = shop.deps('users').db.client.options
  const url = `postgres://${user}:${String(pass)}@${host[0]}:${port[0]}/${database}`
  processes = [1, 2, 3].map(() => openPostgres(url))
})
afterEach(() => vi.useRealTimers())
afterAll(async () => {
  await Promise.all(processes.map((db) => db.client.end()))
  await shop.close()
})

it('holds the limit of an account if several processes count concurrently', async () => {
  const email = newEmail()
  const begun = await Promise.allSettled(
    Array.from({ length: 60 }, (_, i) => openAttempts(processes[i % 3]!).begin(`203.0.113.${i}`, email)),
  )
  expect(begun.filter(({ status }) => status === 'fulfilled')).toHaveLength(limits.account)
})

it('allows attempts again when the time is over', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const { begin } = openAttempts(processes[0]!)
  const email = newEmail()
  for (let i = 0; i < limits.account; i++) await begin('203.0.113.200', email)
  vi.setSystemTime(Date.now() + (limits.seconds - 1) * 1000)
  await expect(begin('203.0.113.200', email)).rejects.toMatchObject({
    type: { name: 'too-many-attempts' },
    extra: { headers: { 'retry-after': '1' } },
  })
  vi.setSystemTime(Date.now() + 1000)
  await begin('203.0.113.200', email)
})

it('stores no e-mail address', async () => {
  const email = newEmail()
  await openAttempts(processes[0]!).begin('203.0.113.201', email)
  const { db } = shop.deps('users')
  expect(await db.select().from(attempts).where(eq(attempts.key, 'address:203.0.113.201'))).toHaveLength(1)
  const keys = (await db.select().from(attempts)).map(({ key }) => key)
  expect(keys.filter((key) => key.includes('@'))).toEqual([])
})
