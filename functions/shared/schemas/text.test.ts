import { describe, expect, it } from 'vitest'
import { text } from './schemas.ts'

const isAccepted = (value: string, min?: number) => text(20, min).safeParse(value).success

describe('a text', () => {
  it.each([
    ['a space', ' '],
    ['a zero-width space', '\u200b'],
    ['a soft hyphen', '\u00ad'],
    ['a byte order mark', '\ufeff'],
    ['a Hangul filler', '\u3164'],
    ['an empty Braille pattern', '\u2800'],
    ['a variation selector', '\ufe0f'],
    ['a tag', '\u{e0041}'],
    ['an accent', '\u0301'],
    ['joiners and spaces', '\u200d \u200c\u2060'],
  ])('must be more than %s', (_, value) => {
    expect([isAccepted(value), isAccepted(`a${value}`)]).toEqual([false, true])
  })

  it.each(['\u0000', '\u0007', '\u001b', '\u007f', '\u0080', '\u0084', '\u009f'])(
    'has no control characters',
    (control) => {
      expect(isAccepted(`a${control}b`)).toBe(false)
    },
  )

  it.each([
    '\u202a',
    '\u202b',
    '\u202c',
    '\u202d',
    '\u202e',
    '\u2066',
    '\u2067',
    '\u2068',
    '\u2069',
    '\u0007',
  ])('must not contain U+%#', (value) => {
    expect(isAccepted(`a${value}b`)).toBe(false)
  })

  it.each(['Ada', 'Jürgen', 'J', '日本語', 'שלום', 'مرحبا', '🙂', '👩‍👩‍👧', 'a\u0301', '1', '!', 'a\nb\tc'])(
    'may be %s',
    (value) => {
      expect(isAccepted(value)).toBe(true)
    },
  )

  it('may be empty only where that is declared', () => {
    expect([isAccepted(''), isAccepted('', 0), isAccepted('\u200b', 0)]).toEqual([false, true, false])
  })
})
