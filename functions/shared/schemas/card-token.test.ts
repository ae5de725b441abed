import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CardToken, holdsCardNumber } from './card-token.ts'

/** Numbers that providers publish for tests, of every length that card numbers have. */
const numbers = [
  '4222222222222',
  '30569309025904',
  '371449635398431',
  '4111111111111111',
  '5555555555554444',
  '6304000000000000000',
]

/** The digits of several scripts: Latin, Arabic, Devanagari, full-width, bold, and two scripts that follow each other. */
const scripts = [
  '0123456789',
  '٠١٢٣٤٥٦٧٨٩',
  '०१२३४५६७८९',
  '０１２３４５６７８９',
  '𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗',
  '𑛚𑛛𑛜𑛝𑛞𑛟𑛠𑛡𑛢𑛣',
].map((script) => Array.from(script))
const separators = [
  '',
  ' ',
  '-',
  '.',
  '_',
  ' - ',
  '\u00a0',
  '\u2009',
  '\u3000',
  '\u200b',
  '–',
  '·',
  '/',
  ', ',
]

describe('a card token', () => {
  it.each(numbers)('is not a card number: %s', (number) => {
    expect(CardToken.safeParse(number).error?.issues).toEqual([
      expect.objectContaining({
        message: 'this looks like a card number: send a token of the payment provider',
      }),
    ])
  })

  it('is not a card number, whatever stands between its digits and whatever their script is', () => {
    const written = fc.record({
      number: fc.constantFrom(...numbers),
      script: fc.constantFrom(...scripts),
      between: fc.array(fc.constantFrom(...separators), { minLength: 20, maxLength: 20 }),
      around: fc.constantFrom(['', ''], ['card_', ''], ['tok-', '-x'], ['pan: ', ' visa']),
    })
    fc.assert(
      fc.property(written, ({ number, script, between, around: [before = '', after = ''] }) => {
        const text = Array.from(number, (digit, i) => script[Number(digit)]! + between[i]!).join('')
        expect(holdsCardNumber(before + text + after)).toBe(true)
      }),
    )
  })

  it('does not repeat the number in its error', () => {
    expect(JSON.stringify(CardToken.safeParse('4111111111111111').error?.issues)).not.toContain('4111')
  })

  it.each([
    'card_approved',
    'card_approved-01999d3c',
    'tok_1MqLkz2eZvKYlo2C0h4mR5aB',
    'pm-9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d',
    // a wrong check digit
    '4111111111111112',
    // too few and too many digits
    '422222222222',
    '41111111111111111111',
  ])('may be %s', (token) => expect(CardToken.parse(token)).toBe(token))

  it.each(['', 'has space', 'tok.1', 'ü', 'x'.repeat(101)])('may not be %j', (token) => {
    expect(CardToken.safeParse(token).error?.issues).toEqual([
      expect.objectContaining({ message: 'a card token of the payment provider' }),
    ])
  })
})
