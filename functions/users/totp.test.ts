import { describe, expect, it } from 'vitest'
import { newTotpSecret, periodOf, totpUri } from './totp.ts'

/** The key of RFC 6238, appendix B, `12345678901234567890`, in base32. */
const rfc = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

describe('a code of an app', () => {
  // the last six digits of the appendix's codes
  it.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('at %i s is %s', (seconds, code) =>
    expect(periodOf(code, rfc, seconds * 1000)).toBe(Math.floor(seconds / 30)),
  )

  it('is accepted if the clock is wrong by up to 30 s, as one of its own period', () => {
    const at = (seconds: number) => periodOf('287082', rfc, seconds * 1000)
    expect([at(0), at(30), at(59), at(60), at(89)]).toEqual([1, 1, 1, 1, 1])
    expect([at(90), at(1_111_111_109)]).toEqual([undefined, undefined])
  })
})

it('has a secret of 160 bits, which differs each time, in base32', () => {
  const secrets = [newTotpSecret(), newTotpSecret()]
  for (const secret of secrets) expect(secret).toMatch(/^[A-Z2-7]{32}$/)
  expect(secrets[0]).not.toBe(secrets[1])
})

it('has a URI with the shop and the account, which apps understand', () => {
  const url = new URL(totpUri(rfc, 'ada@example.com'))
  expect([url.protocol, url.host, decodeURIComponent(url.pathname)]).toEqual([
    'otpauth:',
    'totp',
    '/Zeroshop:ada@example.com',
  ])
  expect(Object.fromEntries(url.searchParams)).toEqual({
    issuer: 'Zeroshop',
    secret: rfc,
    algorithm: 'SHA1',
    digits: '6',
    period: '30',
  })
})
