import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apportion } from './apportion.ts'

const sum = (of: readonly number[]) => of.reduce((total, one) => total + one, 0)

describe('an amount that is divided', () => {
  it.each([
    ['evenly', 300, [100, 100, 100], [100, 100, 100]],
    ['with a unit left, which goes to the first of equals', 100, [100, 100, 100], [34, 33, 33]],
    ['with a unit left, which goes to the largest remainder', 10, [101, 299, 200], [2, 5, 3]],
    ['over lines that cost nothing', 5, [0, 5, 0], [0, 5, 0]],
    ['over nothing at all', 0, [0, 0], [0, 0]],
    ['up to the largest order', 999_999_999, [999_999_999, 1], [999_999_998, 1]],
  ])('is divided %s', (_, amount, weights, parts) => {
    expect(apportion(amount, weights)).toEqual(parts)
  })

  it('loses nothing, takes no more from a part than it has, and is within one unit of the exact share', () => {
    const weights = fc.array(fc.integer({ min: 0, max: 20_000_000 }), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(weights, fc.double({ min: 0, max: 1, noNaN: true }), (weights, share) => {
        const amount = Math.floor(share * sum(weights))
        const parts = apportion(amount, weights)
        expect(sum(parts)).toBe(amount)
        for (const [i, part] of parts.entries()) {
          expect(part).toBeGreaterThanOrEqual(0)
          expect(part).toBeLessThanOrEqual(weights[i]!)
          const exact = amount === 0 ? 0 : (amount * weights[i]!) / sum(weights)
          expect(Math.abs(part - exact)).toBeLessThan(1)
        }
      }),
    )
  })
})
