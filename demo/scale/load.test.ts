import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runLoad, type Load, type Visit } from './load.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] }))
afterEach(() => vi.useRealTimers())

const empty = (): Load => ({ sent: [], unsent: [], inFlight: new Map() })

/** A visit that gets its response after a delay. */
const answeredAfter = (ms: number, status = 200): Visit => ({
  name: 'get-product',
  send: () => new Promise((resolve) => setTimeout(() => resolve(status), ms)),
})

describe('an open loop', () => {
  it('sends requests when they are due, however slow the responses are', async () => {
    const load = empty()
    const began: number[] = []
    const start = performance.now()
    const next = () => {
      began.push(performance.now() - start)
      return answeredAfter(1000)
    }
    const over = runLoad([0, 100, 200], next, { limit: 10, load })
    await vi.advanceTimersByTimeAsync(250)
    expect(began).toEqual([0, 100, 200])
    expect(load.inFlight.get('get-product')).toBe(3)
    await vi.advanceTimersByTimeAsync(1000)
    await over
    expect(load.sent.map(({ at, ms }) => [at, ms])).toEqual([
      [0, 1000],
      [100, 1000],
      [200, 1000],
    ])
    expect(load.inFlight.get('get-product')).toBe(0)
  })

  it('counts the latency from when a request was due, not from when it was sent', async () => {
    const load = empty()
    const stall = (): Visit => {
      vi.advanceTimersByTime(400)
      return answeredAfter(0)
    }
    const over = runLoad([0, 100], stall, { limit: 10, load })
    await vi.advanceTimersByTimeAsync(10)
    await over
    // the second was due while the first blocked everything
    expect(load.sent.find(({ at }) => at === 100)!.ms).toBeGreaterThanOrEqual(700)
  })

  it('reports the requests that it did not send because too many were in flight', async () => {
    const load = empty()
    const over = runLoad([0, 1, 2, 3], () => answeredAfter(100), { limit: 2, load })
    await vi.advanceTimersByTimeAsync(200)
    await over
    expect(load.sent.map(({ at }) => at)).toEqual([0, 1])
    expect(load.unsent).toEqual([2, 3])
  })

  it('records a request that got no response', async () => {
    const load = empty()
    const lost: Visit = { name: 'log-in', send: () => Promise.reject(new Error('ECONNRESET')) }
    await runLoad([0], () => lost, { limit: 1, load })
    expect(load.sent).toMatchObject([{ name: 'log-in', status: undefined }])
  })

  it('ends at once when it is aborted', async () => {
    const load = empty()
    const ending = new AbortController()
    const over = runLoad([0, 1000], () => answeredAfter(60_000), { limit: 9, load, signal: ending.signal })
    await vi.advanceTimersByTimeAsync(10)
    ending.abort()
    await over
    expect(load.sent).toEqual([])
    expect(load.inFlight.get('get-product')).toBe(1)
  })
})
