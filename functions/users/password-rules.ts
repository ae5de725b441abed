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

/** @throws Problem 400 if the owner must not have this password */
export async function refuseWeakPassword(password: string, owner: Owner): Promise<void> {
  const { commonPasswords } = await import('./common-passwords.ts')
  const weakness = weaknessOf(password, owner, commonPasswords)
  if (weakness !== undefined)
    throw new Problem('invalid-request', {
      detail: 'See `errors` for what to change.',
      errors: [{ pointer: '/body/password', detail: weakness }],
    })
}

/**
 * Returns what is wrong with a new password, or undefined if it may be used.
 * @param common passwords that many people use, in lower case
 */
export function weaknessOf(password: string, owner: Owner, common: readonly string[]): string | undefined {
  const folded = password.toLowerCase()
  if (repeats(folded) || counts(folded))
    return 'repeats a few characters, or only counts up or down: choose another'
  if (isOwn(folded, owner))
    return 'is made of your name, your e-mail address or the name of the shop: choose another'
  if (forms(folded).some((form) => common.includes(form)))
    return 'is a common password, with or without digits around it: choose another'
  return undefined
}

/** Whether the text has fewer than 4 different characters, or repeats a part of up to 4, such as `abcabcabca`. */
function repeats(text: string): boolean {
  const characters = Array.from(text)
  if (new Set(characters).size < 4) return true
  return [1, 2, 3, 4].some((period) => characters.every((c, i) => i < period || c === characters[i - period]))
}

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
  const [local = ''] = email.split('@')
  const words = [
    email,
    local,
    name,
    ...local.split(notAlphanumeric),
    ...name.split(notAlphanumeric),
    'zeroshop',
  ]
    .map((word) => word.normalize('NFKC').toLowerCase())
    .filter((word) => word.length >= 3)
    .toSorted((a, b) => b.length - a.length)
  const rest = words.reduce((left, word) => left.replaceAll(word, ' '), password)
  return rest !== password && [...rest.matchAll(/\p{L}/gu)].length < 4
}

const notAlphanumeric = /[^\p{L}\p{N}]+/u

/** Returns the password, and what is left of it without the digits and signs before or after its letters. */
function forms(password: string): string[] {
  const core = password.replace(/^\P{L}+/u, '').replace(/\P{L}+$/u, '')
  return core.length < 4 ? [password] : [password, core]
}
