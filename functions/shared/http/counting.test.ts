import { expect, it } from 'vitest'
import { counting, type Limit } from './counting.ts'

/** A store, a clock, and processes that count in the store. */
function given({ processes = 1, most = 100 } = {}) {
  const state = { time: 0, asked: 0, isDown: false }
  const counts = new Map<string, { count: number; ends: number }>()
  const store = {
    add: async (key: string, requests: number, seconds: number) => {
      state.asked++
      if (state.isDown) throw new Error('no store')
      const known = counts.get(key)
      const { count, ends } =
        known === undefined || known.ends <= state.time
          ? { count: 0, ends: state.time + seconds * 1000 }
          : known
      counts.set(key, { count: count + requests, ends })
      return { count: count + requests, endsInMs: ends - state.time }
    },
  }
  const errors: unknown[] = []
  const options = { now: () => state.time, onError: (error: unknown) => errors.push(error), most }
  const each = Array.from({ length: processes }, () => counting(store, options))
  return {
    state,
    errors,
    count: each[0]!,
    /** Sends requests in turn to each process. Returns how many are allowed. */
    allowed: async (requests: number, limit: Limit, key = 'ada') => {
      let sum = 0
      for (let i = 0; i < requests; i++) if ((await each[i % processes]!(key, limit)).isAllowed) sum++
      return sum
    },
  }
}

const large = { requests: 600, seconds: 60 }
const small = { requests: 60, seconds: 60 }

it.each([1, 60, 61, 95, 600, 6_001])('allows exactly the limit in one process: %i', async (requests) => {
  const { allowed } = given()
  expect(await allowed(requests + 5, { requests, seconds: 60 })).toBe(requests)
})

it('asks the store not at all for a tenth of the limit, and then once for each tenth', async () => {
  const { state, allowed } = given()
  await allowed(60, large)
  expect(state.asked).toBe(0)
  await allowed(540, large)
  expect(state.asked).toBe(9)
  // once more to hear that there is nothing left, however many requests follow
  await allowed(500, large)
  expect(state.asked).toBe(10)
})

it('asks the store at each request if the limit is small, until it is reached', async () => {
  const { state, allowed } = given()
  await allowed(100, small)
  expect(state.asked).toBe(61)
})

it('holds a small limit exactly, however many processes there are', async () => {
  const { allowed } = given({ processes: 7 })
  expect(await allowed(100, small)).toBe(60)
})

it.each([2, 4, 10])('allows at most a tenth more for each process: %i', async (processes) => {
  const { allowed } = given({ processes })
  const sum = await allowed(2_000, large)
  expect(sum).toBeGreaterThanOrEqual(large.requests)
  expect(sum).toBeLessThanOrEqual(large.requests * (1 + processes / 10))
})

it.each([small, large])('lets as many through if they come at once: %j', async (limit) => {
  const { count } = given()
  const all = await Promise.all(Array.from({ length: limit.requests + 30 }, () => count('ada', limit)))
  expect(all.filter(({ isAllowed }) => isAllowed)).toHaveLength(limit.requests)
})

it('counts each caller alone', async () => {
  const { allowed } = given()
  expect(await allowed(70, small, 'ada')).toBe(60)
  expect(await allowed(70, small, 'bob')).toBe(60)
})

it.each([small, large])('begins anew when the time is over: %j', async (limit) => {
  const { state, allowed } = given()
  await allowed(limit.requests, limit)
  state.time = 59_999
  expect(await allowed(1, limit)).toBe(0)
  // the count of the store began with the first request that it was told of
  state.time = 60_000
  expect(await allowed(limit.requests + 5, limit)).toBe(limit.requests)
})

it('says how many requests are left, and until when', async () => {
  const { state, count } = given()
  const first = await count('ada', large)
  expect(first).toEqual({ isAllowed: true, remaining: 599, endsInMs: 60_000 })
  state.time = 10_000
  for (let left = 598; left >= 0; left--) expect((await count('ada', large)).remaining).toBe(left)
  // from when the store was asked
  expect(await count('ada', large)).toEqual({ isAllowed: false, remaining: 0, endsInMs: 60_000 })
})

it('ends with the count of the store, which another process may have begun', async () => {
  const { state, allowed, count } = given({ processes: 2 })
  await allowed(4, small)
  state.time = 45_000
  expect((await count('ada', small)).endsInMs).toBe(15_000)
})

it.each([small, large])('lets requests through while the store fails: %j', async (limit) => {
  const { state, errors, allowed } = given()
  state.isDown = true
  expect(await allowed(limit.requests * 2, limit)).toBe(limit.requests * 2)
  expect(errors).toHaveLength(state.asked)
  state.isDown = false
  // it reports what it let through
  expect(await allowed(limit.requests, limit)).toBeLessThanOrEqual(limit.requests / 10)
})

it('counts alone if there is no store', async () => {
  const count = counting(undefined)
  const all = await Promise.all(Array.from({ length: 70 }, () => count('ada', small)))
  expect(all.filter(({ isAllowed }) => isAllowed)).toHaveLength(60)
})

it('forgets the oldest callers if there are too many', async () => {
  const { count } = given({ most: 3 })
  for (const key of ['a', 'b', 'c']) await count(key, large)
  expect((await count('a', large)).remaining).toBe(598)
  await count('d', large)
  expect((await count('b', large)).remaining).toBe(598)
  expect((await count('a', large)).remaining).toBe(599)
})
