import { describe, expect, it } from 'vitest'
import { quantile } from './quantile.ts'

describe('quantile', () => {
  it('returns the smallest value that this share of the values do not exceed', () => {
    const values = Array.from({ length: 100 }, (_, n) => 100 - n)
    expect([0, 0.5, 0.99, 1].map((q) => quantile(values, q))).toEqual([1, 50, 99, 100])
  })

  it('returns one of the values if their number is even', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2)
  })

  it('returns undefined if there are no values', () => {
    expect(quantile([], 0.5)).toBeUndefined()
  })
})
