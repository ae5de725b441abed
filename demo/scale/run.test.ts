import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { part } from './example.ts'
import { readOptions, type Options } from './options.ts'
import { run } from './run.ts'
import type { ScaleSource } from './source.ts'
import type { Visitors } from './visitors.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] }))
afterEach(() => vi.useRealTimers())

/** A function that has a pod if there were requests within the last two seconds. */
function shop() {
  let last = -Infinity
  const source: ScaleSource = {
    label: 'a test',
    note: undefined,
    everyMs: 500,
    windowSeconds: 2,
    sample: () => {
      const pods = Date.now() - last < 2000 ? 1 : 0
      return Promise.resolve({ at: Date.now(), parts: [part('get-product', { ready: pods, desired: pods })] })
    },
    coldStarts: () => [],
    close: () => Promise.resolve(),
  }
  const visitors: Visitors = {
    stocked: true,
    next: () => ({
      name: 'get-product',
      send: () => {
        last = Date.now()
        return Promise.resolve(200)
      },
    }),
    outcome: () => Promise.reject(new Error('is not called here')),
    accepted: () => 0,
    close: () => Promise.resolve(),
  }
  return { source, visitors, draw: () => {}, signal: new AbortController().signal }
}

const options = readOptions(['--seconds', '10'], {}) as Options

describe('a run', () => {
  it('sees pods go from zero and back to zero', async () => {
    const running = run(options, shop())
    await vi.advanceTimersByTimeAsync(30_000)
    const { samples, load, remarks } = await running
    const ready = samples.map(({ parts }) => parts[0]!.ready)
    expect(ready[0]).toBe(0)
    expect(Math.max(...ready)).toBe(1)
    expect(ready.at(-1)).toBe(0)
    expect(load.sent.length).toBeGreaterThan(0)
    expect(remarks).toEqual([])
  })

  it('continues if the autoscaler cannot be reached, and reports it once', async () => {
    const around = shop()
    let asked = 0
    const { sample } = around.source
    around.source.sample = () =>
      (asked += 1) === 8 || asked === 9 ? Promise.reject(new Error('gone')) : sample()
    const running = run(options, around)
    await vi.advanceTimersByTimeAsync(30_000)
    expect((await running).remarks).toEqual(['The autoscaler could not be reached: gone'])
  })

  it('reports if not everything returned to zero', async () => {
    const around = shop()
    around.source.sample = () =>
      Promise.resolve({ at: Date.now(), parts: [part('get-product', { ready: 1, desired: 1 })] })
    const running = run({ ...options, now: true }, around)
    await vi.advanceTimersByTimeAsync(100_000)
    expect((await running).remarks).toEqual(['Not everything was at zero 64 s after the load.'])
  })
})
