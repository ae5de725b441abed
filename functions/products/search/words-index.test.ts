import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { isWithinOneEdit } from './edits.ts'
import { createWordsIndex } from './words-index.ts'

const word = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 6 }),
  fc.constantFrom('m8', '10mm', 'abab1', 'c++'),
)
const product = fc.record({
  name: fc.uniqueArray(word, { maxLength: 3 }),
  text: fc.uniqueArray(word, { maxLength: 4 }),
})
type Texts = typeof product extends fc.Arbitrary<infer T> ? T : never

/** Returns how well a product matches a word, computed in the simplest way; 0 if it does not. */
function weightOf({ name, text }: Texts, wanted: string): number {
  const weigh = (words: string[], exact: number, prefix: number, typo: number) =>
    Math.max(
      0,
      ...words.map((each) =>
        each === wanted
          ? exact
          : each.startsWith(wanted)
            ? prefix
            : /^[a-z]{4,}$/.test(wanted) && isWithinOneEdit(each, wanted)
              ? typo
              : 0,
      ),
    )
  const onlyInText = text.filter((each) => !name.includes(each))
  return Math.max(weigh(name, 100, 60, 30), weigh(onlyInText, 20, 12, 5))
}

it('scores each product as by looking at all its words, also after others were removed', () => {
  fc.assert(
    fc.property(
      fc.array(product, { maxLength: 8 }),
      fc.array(fc.nat(7)),
      fc.uniqueArray(word, { minLength: 1, maxLength: 3 }),
      (products, removed, wanted) => {
        const index = createWordsIndex()
        const kept = products.map(({ name, text }, i) =>
          index.add(String(i), [...new Set([...name, ...text])], new Set(name)),
        )
        const gone = new Set(removed.filter((i) => i < products.length))
        index.search(wanted)
        for (const i of gone) index.remove(String(i), kept[i]!)
        const expected = products.flatMap((each, i): [string, number][] => {
          const weights = wanted.map((one) => weightOf(each, one))
          if (gone.has(i) || weights.includes(0)) return []
          return [[String(i), weights.reduce((sum, weight) => sum + weight, 0)]]
        })
        expect(new Map(index.search(wanted))).toEqual(new Map(expected))
      },
    ),
    { numRuns: 500 },
  )
})

it('ranks any match in a name above any other of the same word', () => {
  const index = createWordsIndex()
  index.add('text', ['wrench'], new Set())
  index.add('typo', ['wrnch'], new Set(['wrnch']))
  index.add('prefix', ['wrenches'], new Set(['wrenches']))
  index.add('name', ['wrench'], new Set(['wrench']))
  const ranked = [...index.search(['wrench'])].toSorted(([, a], [, b]) => b - a).map(([id]) => id)
  expect(ranked).toEqual(['name', 'prefix', 'typo', 'text'])
})
