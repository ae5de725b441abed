import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { uuidv7 } from 'uuidv7'
import type { User } from '../../functions/shared/auth/access-token.ts'
import { domainNames } from '../../functions/table.ts'
import { requestCounts } from '../../functions/users/session.ts'
import { idempotencyKeys } from '../../functions/users/user.ts'
import { newEmail } from '../accounts.ts'
import { expectProblem } from '../problems.ts'
import { openShop, type Answered, type TestShop } from '../shop.ts'
import { rows, type Row } from './operations.ts'

/** Makes 2 of most limits for reading, and 1 of the others. */
const factor = 1 / 3_000

let shop: TestShop
/** Stands in for another process of each function. */
let other: TestShop
/** Has the limits of the table. */
let unscaled: TestShop

beforeAll(async () => {
  shop = await openShop(domainNames, { LIMITS_FACTOR: String(factor) }, { collects: false })
  const beside = { collects: false, beside: shop }
  other = await openShop(domainNames, { LIMITS_FACTOR: String(factor) }, beside)
  unscaled = await openShop(['users'], { LIMITS_FACTOR: '1' }, beside)
})
afterAll(async () => {
  await Promise.all([other.close(), unscaled.close()])
  await shop.close()
})

const limitOf = ({ limits }: Row, of: 'user' | 'network') => Math.max(1, Math.round(limits[of] * factor))

let networks = 0
const newNetwork = () => `198.51.100.${++networks}`

/** Sends a request to an operation, which does not matter except for who sends it. */
function send(
  to: TestShop,
  row: Row,
  { user, network }: { user?: User; network?: string },
): Promise<Answered> {
  const path = row.path.replace('/api/v1', '').replaceAll(/\{\w+\}/g, uuidv7)
  // the proxy adds the last; what is before it, the client may have written
  const headers = network === undefined ? {} : { 'x-forwarded-for': `${randomUUID()}, ${network}` }
  return to[row.method](path, { ...(user && { as: user }), headers })
}

/** Returns a new user who may call an operation. */
const newCaller = ({ by }: Row) => shop.newUser(typeof by === 'string' ? 'customer' : by[0])

/** Expects that a request is refused because of a limit. */
function expectRefused(answer: Answered, who: string, requests: number) {
  const wait = Number(answer.headers.get('retry-after'))
  expect(wait).toBeGreaterThan(55)
  expect(wait).toBeLessThanOrEqual(60)
  expectProblem(
    answer,
    'too-many-requests',
    `${who} may send ${requests} of these requests in 60 s. Try again in ${wait} s.`,
  )
  expect(rateLimitOf(answer)).toEqual({ policy: `"default";q=${requests};w=60`, left: 0 })
}

function rateLimitOf({ headers }: Answered) {
  const [, left] = /^"default";r=(\d+);t=\d+$/.exec(headers.get('ratelimit') ?? '') ?? []
  return { policy: headers.get('ratelimit-policy'), left: Number(left) }
}

describe('an operation', () => {
  it.each(rows)('has a limit for each user: %s', async (operation, row) => {
    const user = newCaller(row)
    const limit = limitOf(row, 'user')
    for (let left = limit - 1; left >= 0; left--) {
      const answer = await send(shop, row, { user })
      expect(answer.status).not.toBe(429)
      expect(rateLimitOf(answer)).toEqual({ policy: `"default";q=${limit};w=60`, left })
    }
    const before = shop.securityLog.length
    expectRefused(await send(shop, row, { user }), 'A user', limit)
    expect(shop.securityLog.slice(before)).toMatchObject([
      { event: 'too-many-requests', outcome: 'refused', operation, actor: { id: user.id }, limit: 'user' },
    ])
    // whatever network the user sends it from
    expectRefused(await send(shop, row, { user, network: newNetwork() }), 'A user', limit)
    expect((await send(shop, row, { user: newCaller(row) })).status).not.toBe(429)
  })

  it.each(rows)('has a limit for each network from which nobody is logged in: %s', async (_, row) => {
    const network = newNetwork()
    const limit = limitOf(row, 'network')
    for (let sent = 0; sent < limit; sent++) expect((await send(shop, row, { network })).status).not.toBe(429)
    expectRefused(await send(shop, row, { network }), 'A network without a login', limit)
    expect((await send(shop, row, { network: newNetwork() })).status).not.toBe(429)
    // users of the network have their own
    expect((await send(shop, row, { user: newCaller(row), network })).status).not.toBe(429)
  })

  it.each(rows)('counts tokens that are not valid with the network: %s', async (_, row) => {
    const headers = { authorization: 'Bearer forged', 'x-forwarded-for': newNetwork() }
    const path = row.path.replace('/api/v1', '').replaceAll(/\{\w+\}/g, uuidv7)
    const statuses: number[] = []
    for (let sent = 0; sent <= limitOf(row, 'network'); sent++)
      statuses.push((await shop[row.method](path, { headers })).status)
    expect(statuses).toEqual([...statuses.slice(1).map(() => 401), 429])
  })

  it.each(rows)('has a limit that its processes share: %s', async (_, row) => {
    const network = newNetwork()
    const limit = limitOf(row, 'network')
    for (let sent = 0; sent < limit; sent++) await send(shop, row, { network })
    expect((await send(other, row, { network })).status).toBe(429)
  })
})

describe('the limits of the table', () => {
  it('let 30 of 60 registrations pass that come at once from one network, to two processes', async () => {
    const another = await openShop(['users'], { LIMITS_FACTOR: '1' }, { collects: false, beside: shop })
    const headers = { 'x-forwarded-for': newNetwork() }
    // those that pass are refused later, which saves their hashes
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        (i % 2 === 0 ? unscaled : another).post('/users', { headers, body: {} }),
      ),
    )
    await another.close()
    const statuses = Object.groupBy(answers, ({ status }) => status)
    expect([statuses[400]?.length, statuses[429]?.length]).toEqual([30, 30])
  })

  it('are not part of an answer that is kept', async () => {
    const headers = { 'x-forwarded-for': newNetwork() }
    const body = { email: newEmail(), name: 'Ada', password: 'correct horse battery' }
    const key = randomUUID()
    const first = await unscaled.post('/users', { headers, body, key })
    const again = await unscaled.post('/users', { headers, body, key })
    expect([first.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true'])
    expect([first, again].map((answer) => rateLimitOf(answer).left)).toEqual([29, 28])
    const kept = await unscaled.deps('users').db.select().from(idempotencyKeys)
    expect(kept.find((row) => row.key === key)!.headers).not.toHaveProperty('ratelimit')
  })
})

it('says on every kind of answer how many requests are left', async () => {
  const user = unscaled.newUser()
  for (const answer of [
    await unscaled.get('/users/me', { as: user }),
    await unscaled.get(`/users/${user.id}`, { as: user }),
    await unscaled.get('/users', { as: user }),
    await unscaled.get('/.well-known/jwks.json'),
    await unscaled.delete('/sessions/current', { as: user }),
    await unscaled.post('/sessions/refresh', { headers: { 'content-type': 'text/plain' }, body: 'x' }),
  ])
    expect(rateLimitOf(answer).left).toBeGreaterThan(500)
})

it('switches limits off with a factor of 0', async () => {
  const free = await openShop(['users'], { LIMITS_FACTOR: '0' }, { collects: false, beside: shop })
  const answers = await Promise.all(Array.from({ length: 40 }, () => free.post('/users', { body: {} })))
  await free.close()
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([400]))
  expect(answers[0]!.headers.has('ratelimit')).toBe(false)
})

it('deletes counts that are over', async () => {
  const { db } = shop.deps('users')
  await db.insert(requestCounts).values({ key: 'over', points: 1, expire: Date.now() - 1 })
  const starting = await openShop(['users'], { LIMITS_FACTOR: '1' }, { collects: false, beside: shop })
  await starting.post('/users', { body: {} })
  await vi.waitFor(async () =>
    expect(await db.select().from(requestCounts).where(eq(requestCounts.key, 'over'))).toEqual([]),
  )
  await starting.close()
})

it('lets requests through if the store cannot count them', async () => {
  const broken = await openShop(['users'], { LIMITS_FACTOR: '1' })
  const admin = postgres(broken.admin)
  await admin`drop table users.request_counts`
  await admin.end()
  const answers = await Promise.all(Array.from({ length: 40 }, () => broken.post('/users', { body: {} })))
  await broken.close()
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([400]))
})
