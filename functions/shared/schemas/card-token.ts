import * as z from 'zod'

/**
 * A payment provider's token for a card. Every field that becomes one has this schema: a card number must
 * never get into the shop, in whatever form.
 */
export const CardToken = z
  .string()
  .refine((text) => !holdsCardNumber(text), {
    error: 'this looks like a card number: send a token of the payment provider',
    abort: true,
  })
  .regex(/^[\w-]{1,100}$/, 'a card token of the payment provider')

/**
 * Returns whether a text contains what may be a card number (ISO/IEC 7812): 13 to 19 digits with a valid
 * check digit. They may be the digits of any script, and anything but letters may stand between them.
 */
export const holdsCardNumber = (text: string): boolean =>
  text
    .normalize('NFKC')
    .split(/\p{L}+/u)
    .map(digitsIn)
    .some((digits) => digits.length >= 13 && digits.length <= 19 && isLuhn(digits))

const digitsIn = (text: string) => Array.from(text.matchAll(/\p{Nd}/gu), ([digit]) => valueOf(digit))

/** Returns the value of a decimal digit. Unicode has those of each script in sequence, from 0 to 9. */
function valueOf(digit: string): number {
  const code = digit.codePointAt(0)!
  let zero = code
  while (/^\p{Nd}$/u.test(String.fromCodePoint(zero - 1))) zero--
  // the digits of two scripts may follow each other
  return (code - zero) % 10
}

/** Returns whether the last digit is the check digit of the others (Luhn). */
function isLuhn(digits: number[]): boolean {
  const sum = digits.toReversed().reduce((sum, digit, i) => {
    const weighted = i % 2 === 0 ? digit : digit * 2
    return sum + (weighted > 9 ? weighted - 9 : weighted)
  }, 0)
  return sum % 10 === 0
}
