import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { isWithinOneEdit } from './edits.ts'

/** Returns the distance of Damerau and Levenshtein, restricted to swaps of neighbours, by the textbook. */
function distance(a: string, b: string): number {
  const d = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => i || j),
  )
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      d[i]![j] = Math.min(d[i - 1]![j]! + 1, d[i]![j - 1]! + 1, d[i - 1]![j - 1]! + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        d[i]![j] = Math.min(d[i]![j]!, d[i - 2]![j - 2]! + 1)
    }
  return d[a.length]![b.length]!
}

it.each([
  ['wrench', 'wrench'],
  ['wrench', 'wrnch'],
  ['wrench', 'wwrench'],
  ['wrench', 'wrensh'],
  ['wrench', 'wernch'],
  ['wrench', 'wrenc'],
])('takes one edit for the same word: %s, %s', (a, b) => {
  expect([isWithinOneEdit(a, b), isWithinOneEdit(b, a)]).toEqual([true, true])
})

it('agrees with the distance of Damerau and Levenshtein', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 })
  fc.assert(
    fc.property(word, word, (a, b) => {
      expect(isWithinOneEdit(a, b)).toBe(distance(a, b) <= 1)
    }),
    { numRuns: 3_000 },
  )
})
