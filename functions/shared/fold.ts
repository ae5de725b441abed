/** How texts are folded for comparing: words with searches, and passwords with what they are made of. */

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
