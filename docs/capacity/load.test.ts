import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seeded } from '../../demo/scale/seeded.ts'
import { day, meanOf, peak, poisson, rateOf } from './load.ts'

describe('the rate of a course', () => {
  it.each([day, peak])('adds up to the orders that it was made for', (course) => {
    const rate = rateOf(course, 10_000)
    let sum = 0
    for (let second = 0; second < course.seconds; second++) sum += rate(second + 0.5)
    expect(sum).toBeCloseTo(10_000, 3)
  })

  it('has a night in the day', () => {
    const rate = rateOf(day, 86_400)
    expect(rate(3 * 3600)).toBeLessThan(0.05)
    expect(rate(20 * 3600)).toBeGreaterThan(2)
  })

  it('has the mean of its points', () => {
    const points = [
      [0, 0],
      [0.5, 2],
      [1, 2],
    ] as const
    expect(meanOf({ points })).toBe(1.5)
  })
})

describe('the number of arrivals', () => {
  it('is a whole number, and never negative', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 5_000, noNaN: true }), fc.integer(), (mean, seed) => {
        const arrived = poisson(mean, seeded(seed))
        expect(Number.isInteger(arrived) && arrived >= 0).toBe(true)
      }),
    )
  })

  it.each([0.1, 5, 29, 31, 2_000])('has a mean and a variance of %d', (mean) => {
    const random = seeded(1)
    const drawn = Array.from({ length: 4_000 }, () => poisson(mean, random))
    const average = drawn.reduce((sum, n) => sum + n, 0) / drawn.length
    const variance = drawn.reduce((sum, n) => sum + (n - average) ** 2, 0) / drawn.length
    expect(average / mean).toBeCloseTo(1, 0.9)
    expect(variance / mean).toBeCloseTo(1, 0.9)
  })
})
