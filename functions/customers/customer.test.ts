import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { claimLifetimeMs, hashOf, isExpired, mayMail, newToken } from './claim.ts'
import { CustomerChange, languages, mergedProfile, NewCustomer } from './customer.ts'

const profile = fc.record({
  name: fc.option(fc.string()),
  phone: fc.option(fc.string()),
  language: fc.option(fc.constantFrom(...languages)),
  taxId: fc.option(fc.string()),
})

describe('a merged profile', () => {
  it('keeps what the account has, and takes over what it lacks', () => {
    fc.assert(
      fc.property(profile, profile, (own, other) => {
        const merged = mergedProfile(own, other)
        for (const field of ['name', 'phone', 'language', 'taxId'] as const)
          expect(merged[field]).toBe(own[field] === null ? other[field] : own[field])
      }),
    )
  })

  it('does not change when it is merged again', () => {
    fc.assert(
      fc.property(profile, profile, (own, other) => {
        const merged = mergedProfile(own, other)
        expect(mergedProfile(merged, other)).toEqual(merged)
      }),
    )
  })
})

describe('a phone number', () => {
  const isAccepted = (phone: string) => CustomerChange.safeParse({ phone }).success

  it.each(['+34912345678', '+15551234567', '+4930123456'])('may be %s', (phone) =>
    expect(isAccepted(phone)).toBe(true),
  )

  it.each(['912345678', '0034912345678', '+0912345678', '+34 912 345 678', '+1', '+1234567890123456', ''])(
    'may not be %j',
    (phone) =>
      expect(CustomerChange.safeParse({ phone }).error?.issues[0]?.message).toBe(
        'a phone number with its country code, such as +34912345678',
      ),
  )
})

describe('a tax id', () => {
  it.each([
    ['de 123.456/789', 'DE123456789'],
    ['12-3456789', '123456789'],
    ['ESB12345678', 'ESB12345678'],
  ])('is written in any groups: %s', (written, taxId) =>
    expect(NewCustomer.parse({ name: 'Ada', taxId })).toEqual(
      NewCustomer.parse({ name: 'Ada', taxId: written }),
    ),
  )

  it.each(['', '123', 'DE_1234', 'X'.repeat(21), 'DÉ12345'])('may not be %j', (taxId) =>
    expect(NewCustomer.safeParse({ name: 'Ada', taxId }).success).toBe(false),
  )
})

describe('a claim', () => {
  const requested = new Date('2026-03-01T12:00:00Z')
  const after = (ms: number) => new Date(requested.getTime() + ms)

  it('can be used for seven days', () => {
    expect(isExpired(requested, after(claimLifetimeMs - 1))).toBe(false)
    expect(isExpired(requested, after(claimLifetimeMs))).toBe(true)
    expect(claimLifetimeMs).toBe(7 * 86_400_000)
  })

  it('is mailed once a minute at most', () => {
    expect(mayMail(undefined, requested)).toBe(true)
    expect(mayMail(requested, after(59_999))).toBe(false)
    expect(mayMail(requested, after(60_000))).toBe(true)
  })

  it('has a token of its own, which its hash does not show', () => {
    const tokens = Array.from({ length: 50 }, newToken)
    expect(new Set(tokens).size).toBe(50)
    for (const token of tokens) {
      expect(token).toMatch(/^[\w-]{43}$/)
      expect(hashOf(token)).not.toContain(token)
      expect(hashOf(token)).toBe(hashOf(token))
    }
  })
})
