import { isWithinOneEdit } from './edits.ts'

/** An index of words in memory: which products have a word, and whether it is in their names. */

/** A product, and its score for a search. */
export type Scores = Map<string, number>

/** By how much each kind of match counts. A word of the name counts more than any of the other texts. */
const weights = {
  name: { exact: 100, prefix: 60, typo: 30 },
  text: { exact: 20, prefix: 12, typo: 5 },
} as const

/** Shorter words and those with digits, such as sizes and parts of SKUs, are other words after one edit. */
const forgiven = /^[\p{L}\p{M}]{4,}$/u

export type WordsIndex = ReturnType<typeof createWordsIndex>

export function createWordsIndex() {
  /** For each word, the products that have it, and whether in their names. The word itself is kept only once. */
  const products = new Map<string, { word: string; having: Map<string, boolean> }>()
  /** All words, sorted; undefined if it has to be made anew. */
  let sorted: string[] | undefined

  /** Adds a product. Returns its words, to remove it by. */
  const add = (id: string, words: readonly string[], nameWords: ReadonlySet<string>): string[] =>
    words.map((given) => {
      let known = products.get(given)
      if (known === undefined) {
        products.set(given, (known = { word: given, having: new Map() }))
        sorted = undefined
      }
      known.having.set(id, nameWords.has(given))
      return known.word
    })

  function remove(id: string, words: Iterable<string>): void {
    for (const word of words) {
      const having = products.get(word)?.having
      having?.delete(id)
      if (having?.size !== 0) continue
      products.delete(word)
      sorted = undefined
    }
  }

  /** Returns the products with a word, a word that begins with it, or one that is an edit away; the best counts. */
  function scoresOf(wanted: string): Scores {
    const scores: Scores = new Map()
    const count = (word: string, kind: 'exact' | 'prefix' | 'typo') => {
      for (const [id, isInName] of products.get(word)!.having) {
        const weight = weights[isInName ? 'name' : 'text'][kind]
        if (weight > (scores.get(id) ?? 0)) scores.set(id, weight)
      }
    }
    const words = (sorted ??= [...products.keys()].toSorted())
    for (let i = firstFrom(words, wanted); i < words.length && words[i]!.startsWith(wanted); i++)
      count(words[i]!, words[i] === wanted ? 'exact' : 'prefix')
    if (!forgiven.test(wanted)) return scores
    for (const word of words)
      if (
        Math.abs(word.length - wanted.length) <= 1 &&
        !word.startsWith(wanted) &&
        isWithinOneEdit(word, wanted)
      )
        count(word, 'typo')
    return scores
  }

  /** Returns the products that have each of the words, and the sums of their weights. */
  function search(wanted: readonly string[]): Scores {
    const [first, ...rest] = wanted.map(scoresOf).toSorted((a, b) => a.size - b.size)
    const found: Scores = new Map()
    for (const [id, score] of first ?? []) {
      let sum = score
      for (const scores of rest) sum += scores.get(id) ?? Number.NaN
      if (!Number.isNaN(sum)) found.set(id, sum)
    }
    return found
  }

  return { add, remove, search }
}

/** Returns the place of the first word that is not less than a given one. */
function firstFrom(sorted: readonly string[], wanted: string): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return low
}
