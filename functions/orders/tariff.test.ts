import { describe, expect, it } from 'vitest'
import type { TaxClass } from '../shared/schemas/tax-class.ts'
import { rateOf, shippingPrice, type TaxRate } from './tariff.ts'

const rate = (country: string, taxClass: TaxClass, validFrom: string, rate: number): TaxRate => ({
  country,
  taxClass,
  validFrom,
  rate,
})

describe('the rate of a product', () => {
  const rates = [
    rate('DE', 'standard', '2021-01-01', 1900),
    rate('DE', 'standard', '2007-01-01', 1900),
    rate('DE', 'standard', '2020-07-01', 1600),
    rate('DE', 'reduced', '2007-01-01', 700),
    rate('DK', 'standard', '1992-01-01', 2500),
  ]

  it.each([
    ['DE', 'standard', '2020-06-30', 1900],
    ['DE', 'standard', '2020-07-01', 1600],
    ['DE', 'standard', '2020-12-31', 1600],
    ['DE', 'standard', '2021-01-01', 1900],
    ['DE', 'reduced', '2026-01-01', 700],
    ['DE', 'zero', '2026-01-01', 0],
    // without a rate of its own, a class has the standard rate
    ['DK', 'reduced', '2026-01-01', 2500],
    // before the first rate, and where there is none
    ['DE', 'standard', '2006-12-31', 0],
    ['US', 'standard', '2026-01-01', 0],
  ] as const)('is that of the day: %s, %s, %s: %i', (country, taxClass, day, expected) => {
    expect(rateOf(rates, country, taxClass, day)).toBe(expected)
  })
})

describe('the price of shipping', () => {
  const parcel = {
    basis: 'weight' as const,
    currency: 'EUR',
    steps: [
      { upTo: 2000, amount: 490 },
      { upTo: 5000, amount: 690 },
    ],
  }
  const express = {
    basis: 'total' as const,
    currency: 'EUR',
    steps: [
      { upTo: 4999, amount: 1290 },
      { upTo: null, amount: 490 },
    ],
  }

  it.each([
    [parcel, 0, 0, 490],
    [parcel, 2000, 9_000_000, 490],
    [parcel, 2001, 0, 690],
    [parcel, 5001, 0, undefined],
    [express, 90_000, 4999, 1290],
    [express, 0, 5000, 490],
  ])('is that of the first step that is high enough', (method, grams, amount, price) => {
    expect(shippingPrice(method, { grams, amount, currency: 'EUR' })).toBe(price)
  })

  it('is in one currency, unless it is free', () => {
    const order = { grams: 1, amount: 1, currency: 'USD' }
    expect(shippingPrice(parcel, order)).toBeUndefined()
    expect(shippingPrice({ ...parcel, currency: null, steps: [{ upTo: null, amount: 0 }] }, order)).toBe(0)
  })
})
