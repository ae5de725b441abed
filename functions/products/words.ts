/** How products' texts and searches are split into words. Both are folded alike. Everything here is pure. */

/** Reads a table such as `ß:ss æ:ae`. */
export const pairs = (table: string) =>
  new Map(table.split(' ').map((pair) => pair.split(':') as [from: string, to: string]))

/** Characters that are compared as others, although they do not decompose into them. */
const letters = pairs(
  [
    'ß:ss æ:ae œ:oe þ:th ð:d đ:d ɖ:d ɗ:d ħ:h ı:i ɨ:i ȷ:j ł:l ŀ:l ƚ:l ø:o ɔ:o ŧ:t ŋ:n ɲ:n ĸ:k ƙ:k',
    'ə:e ɛ:e ǝ:e ƀ:b ɓ:b ƒ:f ǥ:g ƴ:y ƶ:z ʉ:u ʋ:v ς:σ ґ:г ـ: ة:ه ى:ي ی:ي ک:ك',
    '⁄:/ ♯:# ’:\' ‘:\' ′:\' “:" ”:" „:"',
  ].join(' '),
)
const replaced = new RegExp(`[${[...letters.keys()].join('')}]`, 'gu')

/**
 * Marks that people leave out, and characters that they do not see. Vowels of Indian scripts and Thai are not
 * left out, and neither are the marks that make another syllable in Japanese.
 */
const leftOut = /[[[\p{M}&&[\p{sc=Zinh}\p{sc=Hebr}]]\p{Default_Ignorable_Code_Point}]--[\u3099\u309a]]/gv

/** Returns a text in the form in which words are compared: without case, marks, ligatures and the like. */
export const fold = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(leftOut, '')
    .replaceAll(replaced, (letter) => letters.get(letter)!)
    .replaceAll("''", '"')
    .normalize('NFC')

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
