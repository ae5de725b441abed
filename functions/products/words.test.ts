import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fold } from '../shared/fold.ts'
import { wantedWords, wordsOf } from './words.ts'

/** Whether a search finds a text, as list-products does it. */
const finds = (search: string, text: string) => {
  const words = wordsOf(text)
  const wanted = wantedWords(search)
  return wanted.length > 0 && wanted.every((each) => words.some((word) => word.startsWith(each)))
}

const special = fc.constantFrom(...Array.from(' .,/+#"\'%08aCßが本'))
const anyText = fc.string({
  unit: fc.oneof(special, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })),
})

describe('the words of a text', () => {
  it('are distinct, in lower case and without accents', () => {
    expect(wordsOf('Café-MUG, 330 ml; café (ZÜRICH)')).toEqual(['cafe', 'mug', '330', 'ml', 'zurich'])
  })

  it('have at most 50 characters', () => {
    expect(wordsOf('a'.repeat(60))).toEqual(['a'.repeat(50), 'a'.repeat(10)])
  })
})

describe('a search', () => {
  it.each([
    ['Danish', 'smorrebrod', 'Smørrebrød'],
    ['Polish', 'lawka', 'ławka'],
    ['Polish', 'ZOLTY', 'żółty'],
    ['German', 'strasse', 'Straße'],
    ['German', 'STRASSE', 'straße'],
    ['German', 'Straẞe', 'strasse'],
    ['French', 'oeuvre', 'Œuvre'],
    ['French', 'ÉLÉGANT', 'elegant'],
    ['Icelandic', 'thaettir', 'þættir'],
    ['Croatian', 'dordevic', 'Đorđević'],
    ['Maltese', 'hobz', 'ħobż'],
    ['Turkish', 'isparta', 'Isparta'],
    ['Turkish', 'diyarbakir', 'DİYARBAKIR'],
    ['Turkish', 'isirgan', 'ısırgan'],
    ['Vietnamese', 'pho bo', 'Phở bò'],
    ['Russian', 'елка', 'Ёлка'],
    ['Greek', 'οδοσ', 'ΟΔΟΣ'],
    ['Greek', 'αθηνα', 'Αθήνα'],
    ['Hebrew', 'שלום', 'שָׁלוֹם'],
    ['Arabic', 'مدرس', 'مُدَرِّس'],
    ['Persian', 'كتاب', 'کتاب'],
    ['Hindi', 'हिन्दी', 'किताब हिन्दी में'],
    ['Korean', '가방', '한국 가방'],
    ['Japanese', 'テスト', '日本語テスト'],
    ['Japanese', '日本', '日本語テスト'],
    ['Japanese', '本語', '日本語テスト'],
    ['Japanese', '語', '日本語テスト'],
    ['Japanese', 'ト', '日本語テスト'],
    ['Japanese', 'ﾃｽﾄ', 'テスト'],
    ['Chinese', '自行车', '山地自行车配件'],
    ['Thai', 'มือ', 'เครื่องมือ'],
    ['full width', 'ＭＵＧ', 'mug'],
    ['ligatures', 'office', 'oﬃce'],
    ['soft hyphens', 'werkzeug', 'Werk\u00adzeug'],
  ])('finds a word however it is written: %s, %s', (_, search, text) => {
    expect(finds(search, text)).toBe(true)
    expect(finds(text, text)).toBe(true)
  })

  it.each([
    ['c++', 'C++ in a nutshell', ['C# in a nutshell', 'C in a nutshell', 'Cups', 'Objective-C']],
    ['C#', 'A book on C#.', ['A book on C++', 'A book on C', 'Chains']],
    ['C♯', 'C#', ['C']],
    ['c', 'C++, C# and C', ['F#']],
    ['F#', 'F#', ['F', 'Forks']],
    ['.NET', 'Programming .NET', ['A net for fishing']],
    ['net', 'Programming .NET', []],
    ['3/8"', 'Socket 3/8″', ['Socket 3/8 mm', 'Socket 8"', 'Socket 1/2"']],
    ['3/8', 'Socket 3/8"', ['3 sockets of 8 mm']],
    ['½', '1/2"', ['1 to 2']],
    ['1.5', 'Hex key, 1.5 mm', ['Hex keys 1 to 5 mm']],
    ['100%', '100% wool', ['100 g of wool']],
    ['"mug 330"', 'A mug of 330 ml', []],
    ['テスト', '日本語テスト', ['テクスト', 'トステ']],
    ['かき', 'かき', ['がき', 'かぎ']],
  ])('keeps the symbols and marks of a word: %s', (search, found, others) => {
    expect(finds(search, found)).toBe(true)
    expect(others.filter((text) => finds(search, text))).toEqual([])
  })

  it('finds any text by the text itself', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const words = new Set(wordsOf(text))
        expect(wantedWords(text).filter((word) => !words.has(word))).toEqual([])
      }),
    )
  })

  it('finds any text however it is written', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(wordsOf(fold(text))).toEqual(wordsOf(text))
        expect(wordsOf(text.normalize('NFD'))).toEqual(wordsOf(text))
        expect(wordsOf(text.normalize('NFKC'))).toEqual(wordsOf(text))
      }),
    )
  })
})
