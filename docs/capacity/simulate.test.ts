import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seeded } from '../../demo/scale/seeded.ts'
import { serve, simulate, type Load, type Work } from './simulate.ts'

const work = (over: Partial<Work> = {}): Work => ({
  cpuMs: 5,
  ms: 15,
  concurrency: 20,
  minScale: 0,
  maxScale: 10,
  atOnce: Infinity,
  startMs: 1_400,
  cpuTarget: undefined,
  ...over,
})

const steady = (rate: number, seconds = 600) => ({ seconds, rateAt: () => rate })
const run = (over: Partial<Work>, load: Load = steady(1)) => simulate(work(over), load, seeded(7))

describe('a step of a function', () => {
  const steps = fc.record({
    cpuMs: fc.double({ min: 0.1, max: 50, noNaN: true }),
    storeMs: fc.double({ min: 0, max: 200, noNaN: true }),
    concurrency: fc.integer({ min: 1, max: 200 }),
    ready: fc.integer({ min: 0, max: 50 }),
    calls: fc.integer({ min: 0, max: 10_000 }),
    atOnce: fc.integer({ min: 1, max: 1_000 }),
  })

  it('serves no more than came, and shows no more in flight than there may be', () => {
    fc.assert(
      fc.property(steps, ({ storeMs, ready, calls, ...over }) => {
        const { left, inFlight, wait } = serve(work({ ...over, ms: over.cpuMs + storeMs }), ready, calls, 0)
        expect(left).toBeGreaterThanOrEqual(0)
        expect(left).toBeLessThanOrEqual(calls)
        expect(inFlight).toBeGreaterThanOrEqual(0)
        expect(inFlight).toBeLessThanOrEqual(over.atOnce)
        expect(wait).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  it('uses no more CPU than the pods have', () => {
    fc.assert(
      fc.property(steps, ({ storeMs, ready, calls, ...over }) => {
        const { left } = serve(work({ ...over, ms: over.cpuMs + storeMs }), ready, calls, 0)
        expect(((calls - left) * over.cpuMs) / 1000).toBeLessThanOrEqual(2 * ready + 1e-6)
      }),
    )
  })

  it('leaves no more calls with one pod more', () => {
    fc.assert(
      fc.property(steps, ({ storeMs, ready, calls, ...over }) => {
        const one = work({ ...over, ms: over.cpuMs + storeMs })
        expect(serve(one, ready + 1, calls, 0).left).toBeLessThanOrEqual(serve(one, ready, calls, 0).left)
      }),
    )
  })
})

describe('a simulated function', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(run({})).toEqual(run({}))
    expect(run({})).not.toEqual(simulate(work(), steady(1), seeded(8)))
  })

  it('has no pod if nobody calls it', () => {
    expect(run({}, steady(0))).toMatchObject({ calls: 0, podSeconds: 0, warmPodSeconds: 600, mostPods: 0 })
  })

  it('keeps its pod for a window after calls that waited for it', () => {
    const load = { seconds: 600, rateAt: (second: number) => (second === 100 ? 5 : 0) }
    const { calls, coldCalls, podSeconds, mostPods } = run({}, load)
    expect(calls).toBeGreaterThan(0)
    expect({ coldCalls, mostPods }).toEqual({ coldCalls: calls, mostPods: 1 })
    expect(podSeconds).toBeGreaterThanOrEqual(60)
    expect(podSeconds).toBeLessThanOrEqual(70)
  })

  it('is never at zero if it is warm', () => {
    expect(run({ minScale: 1 }, steady(0.01))).toMatchObject({ coldCalls: 0, podSeconds: 600 })
  })

  it('has no more pods than its max scale, and falls behind if they are too few', () => {
    const { mostPods, longestWait } = run({ maxScale: 2 }, steady(1_000))
    expect(mostPods).toBe(2)
    // each pod serves 200 calls a second
    expect(longestWait).toBeGreaterThan(600)
  })

  it('keeps up once it has the pods that its CPU time needs', () => {
    const load = { ...steady(1_000), countFrom: 120 }
    expect(run({ maxScale: 8 }, load).longestWait).toBeLessThan(60)
  })

  it('has the pods that the HPA’s rule asks for if it scales on CPU', () => {
    // 0.5 cores at 0.07 a pod
    expect(run({ minScale: 1, maxScale: 20, cpuTarget: 0.07 }, steady(100)).mostPods).toBe(8)
    expect(run({ minScale: 1, maxScale: 4, cpuTarget: 0.07 }, steady(100)).mostPods).toBe(4)
  })
})
