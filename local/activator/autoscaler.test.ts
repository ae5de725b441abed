import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createAutoscaler } from './autoscaler.ts'
import type { Decision } from './autoscaler.ts'

type Values<A> = A extends fc.Arbitrary<infer V> ? V : never

const second = 1000
const tick = 2 * second

describe('the autoscaler', () => {
  it('needs no instance of a function that was never used', () => {
    const scaler = createAutoscaler({ concurrency: 10, minScale: 0, maxScale: 5 })
    expect(scaler.decide(0, 0)).toMatchObject({ desired: 0, panic: false, reason: 'never used' })
  })

  it('needs one instance for the first request, even at a concurrency of one', () => {
    const scaler = createAutoscaler({ concurrency: 1, minScale: 0, maxScale: 5 })
    scaler.observe(0, 1)
    const decision = scaler.decide(0, 0)
    expect(decision).toMatchObject({ desired: 1, panic: false })
    expect(decision.reason).toBe('1 request after an idle window, 1 per instance')
  })

  it('needs as many instances for a burst after an idle window as the burst fills', () => {
    const scaler = createAutoscaler({ concurrency: 10, minScale: 0, maxScale: 50 })
    scaler.observe(0, 200)
    expect(scaler.decide(0, 0)).toMatchObject({ desired: 20, panic: true })
  })

  it('divides the stable average by 70 % of the concurrency of an instance', () => {
    const scaler = createAutoscaler({ concurrency: 10, minScale: 0, maxScale: 50 })
    scaler.observe(0, 30)
    const decision = scaler.decide(60 * second, 4)
    expect(decision).toMatchObject({ desired: 5, panic: false, stableAverage: 30, panicAverage: 30 })
    expect(decision.reason).toBe('30.0 concurrent requests over 60 s need 5 at 7 per instance')
  })

  it('averages over time, not over observations', () => {
    const scaler = createAutoscaler({ concurrency: 10, minScale: 0, maxScale: 50 })
    scaler.observe(0, 10)
    scaler.observe(15 * second, 0)
    scaler.observe(30 * second, 10)
    scaler.observe(45 * second, 0)
    expect(scaler.decide(59.999 * second, 1).stableAverage).toBeCloseTo(5, 2)
  })

  it('panics when the panic window needs twice as many instances as are ready', () => {
    const scaler = createAutoscaler({ concurrency: 1, minScale: 0, maxScale: 50 })
    scaler.observe(0, 1)
    scaler.observe(54 * second, 12)
    const decision = scaler.decide(60 * second, 3)
    expect(decision).toMatchObject({ desired: 18, panic: true })
    expect(decision.reason).toBe(
      'panic: 12.0 concurrent requests over 6 s need 18 instances, at least 2 × the 3 that are ready',
    )
  })

  it('does not shrink until a window after the surge that caused a panic, then shrinks by half at a time', () => {
    const scaler = createAutoscaler({ concurrency: 1, minScale: 0, maxScale: 50 })
    scaler.observe(0, 7)
    const surge = scaler.decide(tick, 1)
    expect(surge).toMatchObject({ desired: 10, panic: true })
    scaler.observe(tick, 0.5)
    const quiet = scaler.decide(30 * second, 10)
    expect(quiet).toMatchObject({ desired: 10, panic: true })
    expect(quiet.reason).toBe('panic: stays at 10 for another 32 s')
    const calm = scaler.decide(70 * second, 10)
    expect(calm).toMatchObject({ desired: 5, panic: false })
    expect(calm.reason).toContain('only halved to 5 for now')
  })

  it('goes to zero after a window without traffic, and not before', () => {
    const scaler = createAutoscaler({ concurrency: 10, minScale: 0, maxScale: 5 })
    scaler.observe(0, 1)
    scaler.observe(second, 0)
    expect(scaler.decide(60.9 * second, 1).desired).toBe(1)
    expect(scaler.decide(61 * second, 1)).toMatchObject({ desired: 0, reason: 'idle for 60 s' })
  })

  it('does not let an idle time lower the average afterwards', () => {
    const scaler = createAutoscaler({ concurrency: 1, minScale: 0, maxScale: 50 })
    scaler.observe(0, 1)
    scaler.observe(second, 0)
    scaler.observe(100 * second, 7)
    expect(scaler.decide(102 * second, 10).stableAverage).toBe(7)
  })

  it('keeps an instance that was started without a request for a window', () => {
    const scaler = createAutoscaler({ concurrency: 10, minScale: 0, maxScale: 5 })
    scaler.touch(0)
    expect(scaler.decide(59 * second, 1).desired).toBe(1)
    expect(scaler.decide(60 * second, 1).desired).toBe(0)
  })

  it('reports that the min or max scale was decisive', () => {
    const small = createAutoscaler({ concurrency: 1, minScale: 0, maxScale: 3 })
    small.observe(0, 200)
    expect(small.decide(0, 0).reason).toContain(', max scale 3')
    const always = createAutoscaler({ concurrency: 1, minScale: 2, maxScale: 3 })
    expect(always.decide(0, 0)).toMatchObject({ desired: 2, reason: 'never used, min scale 2' })
  })
})

describe('whatever the traffic, the autoscaler', () => {
  const scales = fc
    .record({
      concurrency: fc.integer({ min: 0, max: 100 }),
      minScale: fc.integer({ min: 0, max: 4 }),
      more: fc.integer({ min: 0, max: 40 }),
      windowSeconds: fc.constantFrom(1, 6, 60, 300),
    })
    .map(({ concurrency, minScale, more, windowSeconds }) => {
      return { concurrency, minScale, maxScale: Math.max(1, minScale + more), windowSeconds }
    })
  const traffic = fc.array(
    fc.record({
      afterMs: fc.integer({ min: 0, max: 400_000 }),
      concurrency: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5000 })),
    }),
    { minLength: 1, maxLength: 60 },
  )

  /** Plays the traffic, as if instances were ready as soon as they are needed. Returns the decisions. */
  function play(options: Values<typeof scales>, steps: Values<typeof traffic>, quietWindows = 0) {
    const scaler = createAutoscaler(options)
    const decisions: Decision[] = []
    let now = 1_000_000
    let ready = 0
    const decide = (): void => {
      const decision = scaler.decide(now, ready)
      decisions.push(decision)
      ready = decision.desired
    }
    for (const { afterMs, concurrency } of steps) {
      now += afterMs
      scaler.observe(now, concurrency)
      decide()
    }
    scaler.observe(now, 0)
    for (const end = now + quietWindows * options.windowSeconds * second; now < end;) {
      now += options.windowSeconds * 100
      decide()
    }
    return decisions
  }

  it('stays within min and max scale', () => {
    fc.assert(
      fc.property(scales, traffic, (options, steps) => {
        for (const { desired } of play(options, steps, 2)) {
          expect(desired).toBeGreaterThanOrEqual(options.minScale)
          expect(desired).toBeLessThanOrEqual(options.maxScale)
        }
      }),
    )
  })

  it('never scales down in panic', () => {
    fc.assert(
      fc.property(scales, traffic, (options, steps) => {
        const inPanic = play(options, steps, 2).filter(({ panic }) => panic)
        expect(inPanic.filter(({ desired, ready }) => desired < ready)).toEqual([])
      }),
    )
  })

  it('removes at most half of the instances at a time', () => {
    fc.assert(
      fc.property(scales, traffic, (options, steps) => {
        for (const { desired, ready } of play(options, steps, 2)) {
          expect(desired).toBeGreaterThanOrEqual(Math.floor(ready / 2))
        }
      }),
    )
  })

  it('ends at the min scale after a long time without requests', () => {
    fc.assert(
      fc.property(scales, traffic, (options, steps) => {
        expect(play(options, steps, 3).at(-1)?.desired).toBe(options.minScale)
      }),
    )
  })

  it('never leaves requests without an instance', () => {
    fc.assert(
      fc.property(scales, traffic, fc.integer({ min: 1, max: 5000 }), (options, steps, concurrency) => {
        const decisions = play(options, [...steps, { afterMs: 0, concurrency }])
        expect(decisions.at(-1)?.desired).toBeGreaterThanOrEqual(1)
      }),
    )
  })

  it('averages between zero and the highest concurrency', () => {
    fc.assert(
      fc.property(scales, traffic, (options, steps) => {
        const highest = Math.max(...steps.map((step) => step.concurrency))
        for (const { stableAverage, panicAverage } of play(options, steps, 1)) {
          for (const average of [stableAverage, panicAverage]) {
            expect(average).toBeGreaterThanOrEqual(0)
            expect(average).toBeLessThanOrEqual(highest * (1 + 1e-6) + 1e-6)
          }
        }
      }),
    )
  })
})
