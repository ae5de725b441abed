import { domainToUnicode } from 'node:url'
import { fold } from '../shared/fold.ts'
import { Problem } from '../shared/http/problems.ts'

/*
 * Which new passwords are refused, by NIST SP 800-63B, 3.1.1.2: those that are common, repetitive, or made of what
 * belongs to their owner. There are no rules of composition. The length is checked by the schema.
 */

/** Whose password it is. */
export interface Owner {
  email: string
  name: string
}

/** Why a password is weak. */
export type Weakness = 'repeats' | 'own' | 'common'

export const weaknesses: Readonly<Record<Weakness, string>> = {
  repeats: 'repeats a few characters, or only counts up or down: choose another',
  own: 'is made of your name, your e-mail address or the name of the shop: choose another',
  common: 'is a common password, with or without digits around it: choose another',
}

/** Returns why the owner must not have this password, or undefined if it may be used. */
export async function findWeakness(password: string, owner: Owner): Promise<Weakness | undefined> {
  const { commonPasswords } = await import('./common-passwords.ts')
  return weaknessOf(password, owner, commonPasswords)
}

/** @throws Problem 400 if the owner must not have this password */
export async function refuseWeakPassword(password: string, owner: Owner): Promise<void> {
  const weakness = await findWeakness(password, owner)
  if (weakness !== undefined)
    throw new Problem('invalid-request', {
      detail: 'See `errors` for what to change.',
      errors: [{ pointer: '/body/password', detail: weaknesses[weakness] }],
    })
}

/**
 * Returns what is wrong with a new password, or undefined if it may be used.
 * @param common passwords that many people use, in lower case
 */
export function weaknessOf(password: string, owner: Owner, common: readonly string[]): Weakness | undefined {
  // `Pässword`, or one with characters that nobody sees, is no better than `password`
  const folded = fold(password)
  if (repeats(folded) || counts(folded)) return 'repeats'
  if (isOwn(folded, owner)) return 'own'
  if (forms(folded).some((form) => common.includes(form))) return 'common'
  return undefined
}

/** Whether the text has fewer than 4 different characters, or repeats a part of up to 4, such as `abcabcabca`. */
function repeats(text: string): boolean {
  if (new Set(text).size < 4) return true
  return [1, 2, 3, 4].some((period) => hasPeriod(Array.from(text), period))
}

const hasPeriod = (characters: string[], period: number) =>
  characters.every((c, i) => i < period || c === characters[i - period])

/** Whether each character follows the one before, as in `1234567890` or `jihgfedcba`. */
function counts(text: string): boolean {
  const codes = Array.from(text, (character) => character.codePointAt(0)!)
  const isAllDigits = /^\d+$/.test(text)
  return [1, -1].some((step) =>
    codes.every((code, i) => {
      const difference = i === 0 ? step : code - codes[i - 1]!
      // after 9 comes 0
      return difference === step || (isAllDigits && difference === -9 * step)
    }),
  )
}

/** Whether the password has words of its owner in it, and fewer than 4 letters besides. */
function isOwn(password: string, { email, name }: Owner): boolean {
  const [local = '', ascii = ''] = email.split('@')
  const domain = domainToUnicode(ascii)
  const parts = [local, name, withoutEnding(ascii), withoutEnding(domain)]
  const words = [email, `${local}@${domain}`, ascii, domain, 'zeroshop', ...parts]
    .flatMap((word) => [word, word.replaceAll(signs, '')])
    .concat(parts.flatMap((part) => part.split(signs)))
    .map(fold)
    .filter((word) => word.length >= 3)
    .toSorted((a, b) => b.length - a.length)
  return [password, password.replaceAll(signs, '')].some((text) => {
    const rest = words.reduce((left, word) => left.replaceAll(word, ' '), text)
    return rest !== text && [...rest.matchAll(/\p{L}/gu)].length < 4
  })
}

/** Returns a domain without its last label, such as `.com`. */
const withoutEnding = (domain: string) => domain.replace(/\.[^.]*$/, '')

const signs = /[^\p{L}\p{N}\p{M}]+/gu

/**
 * Returns the password, and what is left of it without the digits and signs before or after its letters, without
 * signs and spaces, and of several times the same word.
 */
function forms(password: string): string[] {
  const whole = [password, password.replaceAll(signs, '')]
  const cores = whole.map((text) => text.replace(/^\P{L}+/u, '').replace(/\P{L}+$/u, ''))
  return [...whole, ...cores].map(once).filter((form) => form.length >= 4)
}

/** Returns the word of which a text consists if it is repeated, and otherwise the text. */
function once(text: string): string {
  const characters = Array.from(text)
  for (let period = 4; period <= characters.length / 2; period++)
    if (characters.length % period === 0 && hasPeriod(characters, period))
      return characters.slice(0, period).join('')
  return text
}
