import { describe, expect, it } from 'vitest'
import { createScaling, startable } from './scaling.ts'

describe('the number of processes', () => {
  const works = { failures: 0, pause: 0 }
  const failed = { failures: 1, pause: 0 }
  const loops = { failures: 3, pause: 1_000 }

  it('is the wanted number as long as processes start', () => {
    expect(startable(5, { ready: 1, starting: 1 }, works)).toBe(5)
    expect(startable(0, { ready: 3, starting: 0 }, works)).toBe(0)
  })

  it('grows one at a time after a failed start', () => {
    expect(startable(5, { ready: 0, starting: 0 }, failed)).toBe(1)
    expect(startable(5, { ready: 0, starting: 1 }, failed)).toBe(1)
    expect(startable(5, { ready: 2, starting: 0 }, failed)).toBe(3)
    expect(startable(5, { ready: 1, starting: 3 }, failed)).toBe(4)
  })

  it('may shrink during the pause of a crash loop, but not grow', () => {
    expect(startable(5, { ready: 1, starting: 0 }, loops)).toBe(1)
    expect(startable(0, { ready: 1, starting: 0 }, loops)).toBe(0)
  })
})

describe('scaling', () => {
  const create = () => createScaling({ concurrency: 10, minScale: 0, maxScale: 3, windowSeconds: 60 })

  it('keeps the latest changes with their reasons', () => {
    const scaling = create()
    scaling.observe(1_000, 1)
    expect(scaling.decide(1_000, { ready: 0, starting: 0 })).toBe(1)
    expect(scaling.decide(1_001, { ready: 0, starting: 1 })).toBe(1)
    expect(scaling.report(1_001)).toMatchObject({ desired: 1, changes: [{ from: 0, to: 1 }] })
    for (let n = 0; n < 30; n++) scaling.warmed()
    expect(scaling.report(1_001).changes).toHaveLength(20)
  })

  it('pauses after three failed starts until a process has answered', () => {
    const scaling = create()
    scaling.observe(1_000, 1)
    for (let n = 0; n < 3; n++) scaling.failed(1_000 + n, 1_000 + n)
    expect(scaling.pause(1_002)).toBeGreaterThan(0)
    expect(scaling.decide(1_002, { ready: 0, starting: 0 })).toBe(0)
    scaling.succeeded()
    expect(scaling.decide(1_003, { ready: 0, starting: 0 })).toBe(1)
  })

  it('never wants more than the max scale, even if the min scale is above it', () => {
    const scaling = createScaling({ concurrency: 1, minScale: 5, maxScale: 2, windowSeconds: 60 })
    expect(scaling.decide(1_000, { ready: 0, starting: 0 })).toBe(2)
  })
})
