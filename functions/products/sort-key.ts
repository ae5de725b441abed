import { pairs } from '../shared/fold.ts'

/**
 * The characters of alphabetic scripts in the order of `Intl.Collator`. They are listed, so that stored keys do
 * not depend on a version of ICU.
 */
const order = [
  ` _-‐–—,;:!¡?¿.·'"«»()[]{}§¶@*/\\&#%†•′\`^°©®+±÷×<=>|~¢$£¥€`,
  '0123456789',
  'abɓcdɖɗeǝəɛfƒgɣhiıɨjkƙlmnɲŋoɔpqĸrsʃtŧʈuʉvʋwxyƴzʒþʔ',
  'αβγδεζηθικλμνξοπρστυφχψω',
  'аәбвгғдђеєжҗзѕиіјйкқлљмнңњоөпрстћуүұфхһцчҷџшщъыьэюя',
  'აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ',
  'աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ',
  'אבגדהוזחטיכלמנסעפצקרשת',
  'ءآأؤإئابپةتثٹجچحخدذڈرزڑژسشصضطظعغفقكکگلمنںهھہوىيیے',
].join('')

/** Characters that sort like others, and after them if the rest is the same. */
const variants = pairs('æ:ae œ:oe ß:ss đ:d ð:d ħ:h ł:l ø:o ς:σ ґ:г ך:כ ם:מ ן:נ ף:פ ץ:צ ‘:\' ’:\' “:" ”:" „:"')

/** The first rank: above the separator and digits of keys, and below all other characters that keys contain. */
const firstRank = 0xa0
const ranks = ranksFrom(String.fromCharCode(firstRank), order)

/** Marks that make a letter differ less than another letter does. Vowels of Indian scripts and Thai are not. */
const mark = /^[\p{M}&&[\p{sc=Zinh}\p{sc=Hebr}]]$/v
const ignorable = /^\p{Default_Ignorable_Code_Point}$/u

/** What differs from a letter by an accent, in the order of `Intl.Collator`, which counts some strokes as accents. */
const accentRanks = ranksFrom(
  '$',
  '\u0301\u0300\u0306\u0302\u030c\u030a\u0308\u030b\u0303\u0307ø\u0327\u0328\u0304đħł\u0309\u030f' +
    '\u031b\u0323\u0324\u0325\u0326\u032d\u032e\u0330\u0331',
)

/** Below what any other part of a key begins with. */
const separator = '!'

/** The longest key, because it is part of a cursor. */
const maxLength = 200

/**
 * Returns the sort key of a text. By their code points, keys sort as the texts do by `Intl.Collator` of no
 * language: first by letters, then by accents, then by case (UTS 10). Chinese sorts by code point.
 */
export function sortKey(text: string): string {
  let letters = ''
  let accents = ''
  let cases = ''
  for (const character of lettersOf(text)) {
    const small = toHiragana(character.toLowerCase())
    if (mark.test(small)) {
      accents += accentRanks.get(small) ?? small
    } else {
      const variant = variants.get(small)
      for (const [i, each] of Array.from(variant ?? small).entries()) {
        letters += rankOf(each)
        accents += variant === undefined || i > 0 ? '#' : `#${accentRanks.get(small) ?? small}`
        cases += character === small ? '0' : '1'
      }
    }
  }
  const key = [letters, accents.replace(/#+$/, ''), cases.replace(/0+$/, '')].join(separator)
  // not in the middle of a surrogate pair
  return key.slice(0, maxLength).replace(/[\ud800-\udbff]$/, '')
}

/** Returns the letters of a text and their marks, one by one. A letter that has its own rank keeps its marks. */
const lettersOf = (text: string): string[] =>
  Array.from(text.normalize('NFKC')).flatMap((character) =>
    ignorable.test(character)
      ? []
      : ranks.has(character.toLowerCase())
        ? [character]
        : Array.from(character.normalize('NFD')),
  )

/** Gives each character a rank, from `first` on. */
function ranksFrom(first: string, characters: string): Map<string, string> {
  const code = first.charCodeAt(0)
  return new Map(Array.from(characters, (character, i) => [character, String.fromCharCode(code + i)]))
}

/** Korean sorts before Japanese, and that before Chinese, which is not the order of their code points. */
function rankOf(character: string): string {
  const rank = ranks.get(character)
  if (rank !== undefined) return rank
  if (/^\p{Script=Hiragana}$/u.test(character)) return `\ue000${character}`
  if (/^\p{Script=Han}$/u.test(character)) return `\uf000${character}`
  // characters among the ranks that have none sort after them
  return character.codePointAt(0)! < firstRank + ranks.size ? `\u0300${character}` : character
}

const toHiragana = (character: string) =>
  /^[\u30a1-\u30f6]$/.test(character) ? String.fromCharCode(character.charCodeAt(0) - 0x60) : character
