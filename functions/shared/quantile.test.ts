import { describe, expect, it } from 'vitest'
import { quantile } from './quantile.ts'

describe('a quantile', () => {
  it('is the smallest value that this share of the values do not exceed', () => {
    const values = Array.from({ length: 100 }, (_, n) => 100 - n)
    expect([0, 0.5, 0.99, 1].map((q) => quantile(values, q))).toEqual([1, 50, 99, 100])
  })

  it('of an even number of values is one of them', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2)
  })

  it('of no values is undefined', () => {
    expect(quantile([], 0.5)).toBeUndefined()
  })
})
