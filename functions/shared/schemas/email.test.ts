import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Email } from './email.ts'

describe('an e-mail address', () => {
  it.each([
    ['Ada@Example.COM', 'ada@example.com'],
    ["o'hara+shop@mail.example.co.uk", "o'hara+shop@mail.example.co.uk"],
    ['用户@例え.テスト', '用户@xn--r8jz45g.xn--zckzah'],
    ['Jürgen@Bücher.example', 'jürgen@xn--bcher-kva.example'],
    ['δοκιμή@παράδειγμα.δοκιμή', 'δοκιμή@xn--hxajbheg2az3al.xn--jxalpdlp'],
    ['अजय@डाटामेल.भारत', 'अजय@xn--c2bd4bq1db8d.xn--h2brj9c'],
    ['ada@faß.example', 'ada@xn--fa-hia.example'],
  ])('may be internationalised: %s', (sent, kept) => {
    expect(Email.parse(sent)).toBe(kept)
  })

  it.each([
    ['composed or not', 'ju\u0308rgen@example.com', 'j\u00fcrgen@example.com'],
    ['in any case', 'JÜRGEN@EXAMPLE.COM', 'jürgen@example.com'],
    ['with its domain in Unicode or ASCII', 'a@bücher.example', 'a@XN--BCHER-KVA.example'],
    ['with its domain composed or not', 'a@bu\u0308cher.example', 'a@b\u00fccher.example'],
    ['with the full stop and width of another script', 'a@ｂücher。example', 'a@bücher.example'],
  ])('is the same %s', (_, one, other) => {
    expect(Email.parse(one)).toBe(Email.parse(other))
  })

  it('stays the same when it is normalised again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (local) => {
        const first = Email.safeParse(`${local}@bücher.example`)
        if (first.success) expect(Email.parse(first.data)).toBe(first.data)
      }),
    )
  })

  it.each([
    '',
    'ada',
    'ada@',
    '@example.com',
    'ada@example',
    'ada@localhost',
    'ada@127.0.0.1',
    'ada@[127.0.0.1]',
    'ada@example.com/path',
    'ada@ex%41mple.com',
    'ada@example.com:25',
    'ada@-example.com',
    'ada@exa_mple.com',
    'ada@example..com',
    'ada@a@example.com',
    'a b@example.com',
    'a..b@example.com',
    '.a@example.com',
    '"ada"@example.com',
    'ada <ada@example.com>',
    'a\u200bb@example.com',
    'a\u202eb@example.com',
    'a\u0000b@example.com',
    'a\ud800b@example.com',
    `${'a'.repeat(65)}@example.com`,
    `${'ü'.repeat(33)}@example.com`,
    `ada@${'a'.repeat(64)}.com`,
    `ada@${'a.'.repeat(130)}com`,
  ])('is not %j', (address) => {
    expect(Email.safeParse(address).success).toBe(false)
  })
})
