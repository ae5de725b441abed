import { describe, expect, it } from 'vitest'
import { Country, Currency } from './schemas.ts'

describe('a currency', () => {
  it.each(['EUR', 'USD', 'JPY', 'KWD', 'CHF', 'PLN'])('is one in use: %s', (code) => {
    expect(Currency.parse(code)).toBe(code)
  })

  it.each(['ABC', 'ZZZ', 'XXX', 'DEM', 'eur', 'EU', 'EURO', '978', '€', ''])('is not %s', (code) => {
    expect(Currency.safeParse(code).error?.issues[0]?.message).toBe('an ISO 4217 code such as EUR')
  })
})

describe('a country', () => {
  it.each(['DE', 'GB', 'US', 'JP', 'TW', 'PS', 'SS', 'AQ'])('is one of ISO 3166-1: %s', (code) => {
    expect(Country.parse(code)).toBe(code)
  })

  it.each(['AA', 'XX', 'ZZ', 'UK', 'EU', 'SU', 'de', 'D', 'DEU', '276', ''])('is not %s', (code) => {
    expect(Country.safeParse(code).error?.issues[0]?.message).toBe('an ISO 3166-1 code such as DE')
  })
})
