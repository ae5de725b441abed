import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { logIn, newAccount, type Account } from '../../test/accounts.ts'
import { hasRedis, startRedis, withoutRedis } from '../../test/redis.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import type { IsSessionEnded } from '../shared/auth/ended-sessions.ts'
import { redisCache } from '../shared/store/redis-cache.ts'
import { cachedEnded, liveSeconds } from './session-cache.ts'

describe.skipIf(!hasRedis)(`sessions with a cache in Redis${withoutRedis}`, () => {
  let redis: Awaited<ReturnType<typeof startRedis>>
  let client: Redis
  let shop: TestShop
  beforeAll(async () => {
    redis = await startRedis()
    client = new Redis(redis.url, { retryStrategy: () => 50 })
    client.on('error', () => {})
    shop = await openShop(['users'], { REDIS_URL: redis.url })
  })
  afterAll(async () => {
    await shop.close()
    client.disconnect()
    await redis.stop()
  })

  const keyOf = ({ session }: { session: string }) => `zeroshop:session:${session}`
  const read = (account: Account) => shop.get(account.path, { as: account })

  /** Sends requests until the cache has what they have asked for. */
  const cached = (account: Account) =>
    vi.waitFor(async () => {
      expect((await read(account)).status).toBe(200)
      expect(await client.get(keyOf(account))).toBe('live')
    }, 5_000)

  it('keep there that they go on, for 2 s, and nothing about a person', async () => {
    const ada = await newAccount(shop)
    await cached(ada)
    expect(await client.pttl(keyOf(ada))).toBeLessThanOrEqual(liveSeconds * 1000)
    const keys = await client.keys('*')
    expect(keys.filter((key) => !/^zeroshop:session:[\da-f-]{36}$/.test(key))).toEqual([])
  })

  it('are asked for in the store once for several requests and processes', async () => {
    const asked = vi.fn<IsSessionEnded>(async () => false)
    const caches = [redisCache(redis.url), redisCache(redis.url)]
    const [first, second] = caches.map((cache) => cachedEnded(asked, cache))
    // once both are connected
    await vi.waitFor(async () => {
      await client.set('ready', '1')
      expect(await Promise.all(caches.map((cache) => cache.get('ready')))).toEqual(['1', '1'])
    })
    await client.del('ready')
    expect(await first!('one')).toBe(false)
    await vi.waitFor(async () => expect(await client.exists('zeroshop:session:one')).toBe(1))
    for (const check of [first!, second!, first!]) expect(await check('one')).toBe(false)
    expect(asked).toHaveBeenCalledTimes(1)
    for (const cache of caches) cache.close()
  })

  it('are refused within 5 s when they have ended, and from then on without asking the store', async () => {
    const ada = await newAccount(shop)
    const phone = await logIn(shop, ada.email)
    await cached(phone)
    expect((await shop.delete(`/sessions/${phone.session}`, { as: ada })).status).toBe(204)
    await vi.waitFor(async () => expect((await read(phone)).status).toBe(401), 5_000)
    await vi.waitFor(async () => {
      expect((await read(phone)).status).toBe(401)
      expect(await client.get(keyOf(phone))).toBe('ended')
    }, 5_000)
    expect(await client.ttl(keyOf(phone))).toBeGreaterThan(15 * 60)
    expect((await read(ada)).status).toBe(200)
  })

  it('are read from the store while the cache is away, and from the cache when it is back', async () => {
    const [ada, grace] = [await newAccount(shop), await newAccount(shop)]
    await cached(ada)
    await redis.stop()
    const before = performance.now()
    for (let i = 0; i < 10; i++) expect((await read(ada)).status).toBe(200)
    expect(performance.now() - before).toBeLessThan(2_000)
    await shop.delete('/sessions/current', { as: grace })
    expect((await read(grace)).status).toBe(401)
    redis = await startRedis(redis.port)
    await cached(ada)
  })

  it('are read from the store if the cache does not answer, for which few requests wait', async () => {
    const ada = await newAccount(shop)
    await cached(ada)
    redis.pause()
    const before = performance.now()
    for (let i = 0; i < 20; i++) expect((await read(ada)).status).toBe(200)
    const took = performance.now() - before
    redis.resume()
    // 20 times 100 ms if each waited
    expect(took).toBeLessThan(1_500)
    await cached(ada)
  })

  it('need no cache that is away from the start', async () => {
    const nobody = await startRedis()
    await nobody.stop()
    const other = await openShop(['users'], { REDIS_URL: nobody.url }, { beside: shop })
    const ada = await newAccount(other)
    for (let i = 0; i < 3; i++) expect((await other.get(ada.path, { as: ada })).status).toBe(200)
    await other.close()
  })
})
