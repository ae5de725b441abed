import { eq } from 'drizzle-orm'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { newAccount, newEmail } from '../../test/accounts.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { openPostgres, type Db } from '../shared/store/postgres.ts'
import { budgetsOf, limits, openAttempts } from './attempts.ts'
import { attempts, sessions } from './session.ts'

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

const begin = (address: string, email: string, of = 0) => openAttempts(processes[of]!).begin(address, email)

/** Begins many attempts at once. Returns how many were allowed. */
async function allowed(count: number, one: (i: number) => Promise<unknown>): Promise<number> {
  const begun = await Promise.allSettled(Array.from({ length: count }, (_, i) => one(i)))
  return begun.filter(({ status }) => status === 'fulfilled').length
}

let networks = 0
const newNetwork = () => `2001:db8:0:${(++networks).toString(16)}::/64`

/** Returns an account and a network from which it has logged in before. */
async function knownAccount() {
  const { email, session } = await newAccount(shop)
  const network = newNetwork()
  await shop.deps('users').db.update(sessions).set({ network }).where(eq(sessions.id, session))
  return { email, network }
}

it('takes from the budget of the network alone where the account has logged in before', () => {
  expect(budgetsOf(true)).toEqual(['pair'])
  expect(budgetsOf(false)).toEqual(['pair', 'address', 'elsewhere'])
})

it('holds the limit of an account and a network if several processes count concurrently', async () => {
  const [email, network] = [newEmail(), newNetwork()]
  expect(await allowed(60, (i) => begin(network, email, i % 3))).toBe(limits.pair.points)
  // another network is not affected
  await begin(newNetwork(), email)
})

it('holds a slow limit of an account for all networks that it has not logged in from', async () => {
  const { email, network } = await knownAccount()
  const { points, seconds } = limits.elsewhere
  expect(await allowed(points + 20, (i) => begin(newNetwork(), email, i % 3))).toBe(points)
  const refused = await begin(newNetwork(), email).catch((error: unknown) => error)
  expect(refused).toMatchObject({ type: { name: 'too-many-attempts' }, message: 'Try again in 24 h.' })
  expect(
    Number((refused as { extra: { headers: object } }).extra.headers['retry-after' as never]),
  ).toBeGreaterThan(seconds - 600)
  // the owner still has the budget of the own network
  expect(await allowed(20, () => begin(network, email))).toBe(limits.pair.points)
})

it('lets a known account in from a network that has used up its budget', async () => {
  const { email, network } = await knownAccount()
  const { points } = limits.address
  expect(await allowed(points + 5, (i) => begin(network, newEmail(), i % 3))).toBe(points)
  await begin(network, email)
})

it('does not know a network by a session that has expired', async () => {
  const { email, network } = await knownAccount()
  await shop
    .deps('users')
    .db.update(sessions)
    .set({ expiresAt: new Date(0) })
    .where(eq(sessions.network, network))
  await allowed(limits.address.points, () => begin(network, newEmail()))
  await expect(begin(network, email)).rejects.toMatchObject({ type: { name: 'too-many-attempts' } })
})

it('does not count attempts from a network that is over its limit against the account', async () => {
  const [email, network] = [newEmail(), newNetwork()]
  await allowed(limits.pair.points + 50, () => begin(network, email))
  const keys = await shop.deps('users').db.select().from(attempts)
  const counted = keys.filter(({ key }) => key.startsWith('elsewhere:')).map(({ points }) => points)
  expect(counted).toContain(limits.pair.points)
  expect(counted).not.toContain(limits.pair.points + 50)
})

it('allows attempts again when the time is over', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const [email, network] = [newEmail(), newNetwork()]
  const { points, seconds } = limits.pair
  for (let i = 0; i < points; i++) await begin(network, email)
  vi.setSystemTime(Date.now() + (seconds - 1) * 1000)
  await expect(begin(network, email)).rejects.toMatchObject({
    type: { name: 'too-many-attempts' },
    extra: { headers: { 'retry-after': '1' } },
  })
  vi.setSystemTime(Date.now() + 1000)
  await begin(network, email)
})

it('stores no e-mail address', async () => {
  const email = newEmail()
  await begin('203.0.113.201', email)
  const { db } = shop.deps('users')
  expect(await db.select().from(attempts).where(eq(attempts.key, 'address:203.0.113.201'))).toHaveLength(1)
  const keys = (await db.select().from(attempts)).map(({ key }) => key)
  expect(keys.filter((key) => key.includes('@'))).toEqual([])
})
