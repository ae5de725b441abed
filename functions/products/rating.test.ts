import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { averageOf, Rating, toRating } from './rating.ts'

const rated = (stars: readonly number[]) => ({
  rating: {
    sum: stars.reduce((sum, each) => sum + each, 0),
    count: stars.length,
    version: 1,
    at: new Date(),
  },
})
const someStars = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 200 })

describe('the rating of a product', () => {
  it('is none without reviews, never reviewed or no longer', () => {
    for (const product of [{}, rated([])]) {
      expect(toRating(product)).toEqual({ average: null, count: 0 })
      expect(averageOf(product)).toBe(0)
    }
  })

  it('has an average of two decimals', () => {
    expect(toRating(rated([5, 4, 4]))).toEqual({ average: 4.33, count: 3 })
    expect(toRating(rated([5, 5, 4]))).toEqual({ average: 4.67, count: 3 })
  })

  it('lies between the worst and the best review, and is what the schema says', () => {
    fc.assert(
      fc.property(someStars, (stars) => {
        const rating = Rating.parse(toRating(rated(stars)))
        expect(rating.average).toBeGreaterThanOrEqual(Math.min(...stars))
        expect(rating.average).toBeLessThanOrEqual(Math.max(...stars))
        expect(Math.abs(rating.average! - averageOf(rated(stars)))).toBeLessThanOrEqual(0.005 + 1e-9)
      }),
    )
  })

  it('does not fall when a better review is added than the average', () => {
    fc.assert(
      fc.property(someStars, (stars) => {
        expect(averageOf(rated([...stars, 5]))).toBeGreaterThanOrEqual(averageOf(rated(stars)))
      }),
    )
  })
})
