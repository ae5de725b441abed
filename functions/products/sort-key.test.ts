import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sortKey } from './sort-key.ts'

const { compare } = new Intl.Collator('und')
const sign = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** Returns the characters of a range of code points. */
const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, i) => String.fromCodePoint(first + i))

const names: [language: string, ...names: string[]][] = [
  [
    'any',
    'mug',
    'Mug',
    'MUG',
    'mug 2',
    'mug-2',
    'mug_2',
    '10 mm',
    '9 mm',
    '"quoted"',
    '#1',
    '(a)',
    '5 €',
    '$5',
  ],
  ['German', 'Zebra', 'Äpfel', 'Apfel', 'apfel', 'Straße', 'Strasse', 'Strasze', 'öl', 'Ofen', 'über', 'Ute'],
  ['French', 'cote', 'coté', 'côte', 'côté', 'œuvre', 'oeuf', 'Élan', 'élan', 'elan'],
  ['Polish', 'ławka', 'lawka', 'Łódź', 'Lodz', 'lz', 'mama', 'zł', 'źle', 'zle'],
  ['Danish', 'Ærø', 'Århus', 'Aarhus', 'Ørsted', 'Oslo', 'Ødis', 'Zoo'],
  ['Turkish', 'ılık', 'ilik', 'İzmir', 'Izmir', 'ızgara', 'jale', 'istanbul'],
  ['Icelandic', 'þing', 'ð', 'dýr', 'zebra', 'öl'],
  ['Russian', 'ёлка', 'елка', 'ель', 'йод', 'иод', 'игра', 'Яблоко', 'яблоко', 'арбуз'],
  ['Ukrainian', 'ґанок', 'гай', 'їжак', 'іній', 'єнот', 'ель', 'яблуко'],
  ['Greek', 'άλφα', 'αλφα', 'Ωμέγα', 'οδός', 'οδοσ', 'ζήτα'],
  ['Georgian and Armenian', 'აბა', 'ბაბა', 'ჰავა', 'աբ', 'բագ', 'ֆիլ'],
  ['Hebrew', 'שלום', 'אבא', 'בית', 'כלב', 'מלך'],
  ['Arabic and Persian', 'كتاب', 'أب', 'اب', 'باب', 'إبرة', 'پدر', 'گل', 'ژاله', 'ياسمين'],
  ['Hindi and Thai', 'अजय', 'कमल', 'किताब', 'हिन्दी', 'กา', 'ขา', 'คา', 'มา'],
  [
    'Korean, Japanese and Chinese',
    '한국',
    '가방',
    '각',
    'テスト',
    'てすと',
    'ア',
    'あ',
    'がく',
    'かく',
    'カク',
    '北京',
    '一',
  ],
]

describe('the sort key', () => {
  it.each(names)('sorts names as Intl.Collator does: %s', (_, ...given) => {
    const byKey = given.toSorted((a, b) => sign(sortKey(a), sortKey(b)))
    expect(byKey).toEqual(given.toSorted(compare))
  })

  it('sorts any name in Latin script as Intl.Collator does', () => {
    const characters = Array.from('aAbZéÉèêẽẹüßøõǫłľæœđď 1-_.,\'"')
    const name = fc.string({ unit: fc.constantFrom(...characters), maxLength: 8 })
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(sign(sortKey(a), sortKey(b))).toBe(Math.sign(compare(a, b)))
      }),
    )
  })

  it('sorts letters by their accents as Intl.Collator does', () => {
    const letters = ['a', 'E', 's', ...range(0xc0, 0x17e), ...range(0x1e00, 0x1e99), ...range(0x1ea0, 0x1ef9)]
    const wrong = letters.flatMap((a) =>
      letters
        .filter((b) => sign(sortKey(a), sortKey(b)) !== Math.sign(compare(a, b)))
        .map((b) => `${a} ${b}`),
    )
    expect(wrong).toEqual([])
  })

  it('fits in a cursor, however long the name is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (name) => {
        expect(sortKey(name).length).toBeLessThanOrEqual(200)
        expect(sortKey(name).isWellFormed()).toBe(true)
      }),
    )
  })
})
