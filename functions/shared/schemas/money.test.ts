import { expect, it } from 'vitest'
import { formatMoney } from './money.ts'

it.each([
  [690, 'EUR', '6.90 EUR'],
  [690, 'JPY', '690 JPY'],
  [1_500, 'KWD', '1.500 KWD'],
])('formats %i minor units of %s as %s', (amount, currency, text) => {
  expect(formatMoney({ amount, currency })).toBe(text)
})
