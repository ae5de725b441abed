import { fold } from '../shared/fold.ts'

/** How products' texts and searches are split into words. Both are folded alike. Everything here is pure. */

const character = String.raw`[\p{L}\p{N}\p{M}]`
/** Characters of scripts that do not put spaces between words. */
const unspaced = String.raw`[${character}&&[${['Hani', 'Hira', 'Kana', 'Thai', 'Laoo', 'Khmr', 'Mymr'].map((script) => String.raw`\p{scx=${script}}`).join('')}]]`
const spaced = `[${character}--${unspaced}]`

/** A word with the symbols that belong to it: C++, C#, .NET, 3/8", 1.5, 100%. */
const word = [
  String.raw`(?:(?<![.\p{L}\p{N}\p{M}])\.(?=\p{L}))?`,
  `${spaced}+`,
  String.raw`(?:(?<=\p{N})[.,\/](?=\p{N})${spaced}+)*`,
  String.raw`(?:(?:\+{1,2}|#|(?<=\p{N})["'%])(?!\p{L}))?`,
].join('')

const words = new RegExp(`(?<run>${unspaced}+)|(?<word>${word})`, 'gv')
const plainWords = new RegExp(`${spaced}+`, 'gv')
/** A text in quotes. A closing quote is not an inch mark. */
const quoted = /(?<![\p{L}\p{N}\p{M}])"([^"]*)"/gu

/** The longest word; the rest of a longer one is another word. */
const inPieces = /.{1,50}/gsu

/** Splits a folded text, and returns what `ofRun` and `ofWord` make of its parts, each once. */
function split(text: string, ofRun: (run: string[]) => string[], ofWord: (word: string) => string[]) {
  const parts = fold(text).replaceAll(quoted, ' $1 ').matchAll(words)
  const found = [...parts].flatMap(({ groups: { run, word } = {} }) =>
    run === undefined ? ofWord(word!).flatMap((each) => each.match(inPieces)!) : ofRun(Array.from(run)),
  )
  return [...new Set(found)]
}

/**
 * Returns the words of a text by which it is found. Of a word with symbols, they include its parts. A script
 * without spaces has pairs of characters instead of words, so that any part of a text is found.
 */
export const wordsOf = (text: string): string[] =>
  split(
    text,
    (run) => run.map((first, i) => first + (run[i + 1] ?? '')),
    (word) => [word, ...word.match(plainWords)!],
  )

/** Returns the words of a search. A text matches if each of them is the beginning of one of its words. */
export const wantedWords = (search: string): string[] =>
  split(
    search,
    (run) => (run.length === 1 ? run : run.slice(1).map((second, i) => run[i]! + second)),
    (word) => [word],
  )
