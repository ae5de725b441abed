import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyCoupons, changed, NewCoupon, newCoupon, toCoupon, usedUp, type CouponRow } from './coupon.ts'

const now = new Date('2026-11-27T12:00:00Z')
const eur = (amount: number) => ({ amount, currency: 'EUR' })

const couponOf = (more: object): CouponRow =>
  newCoupon(NewCoupon.parse({ code: 'TEST', discount: { percent: 10 }, ...more }), 'id', now)

const lines = [
  { sku: 'BOOK', quantity: 1, unitPrice: 1299 },
  { sku: 'LAMP', quantity: 1, unitPrice: 4990 },
]
const goods = { lines, currency: 'EUR', categories: new Map([['LAMP', 'lights']]), now }

describe('a coupon', () => {
  it.each([
    // 10 % of 6289 is 628.9
    ['a percentage', { discount: { percent: 10 } }, [130, 499]],
    ['all of it', { discount: { percent: 100 } }, [1299, 4990]],
    ['an amount', { discount: { amount: eur(1000) } }, [207, 793]],
    ['an amount that is more than the order costs', { discount: { amount: eur(10_000) } }, [1299, 4990]],
    ['an amount for one product', { discount: { amount: eur(1000) }, skus: ['book'] }, [1000, 0]],
    ['a percentage for one category', { discount: { percent: 50 }, categories: ['lights'] }, [0, 2495]],
    ['one for a category by its name', { discount: { percent: 50 }, categories: ['Lights'] }, [0, 2495]],
    ['what is for a product or a category', { skus: ['BOOK'], categories: ['lights'] }, [130, 499]],
  ])('gives %s', (_, coupon, discounts) => {
    expect(applyCoupons([couponOf(coupon)], goods)).toEqual([{ code: 'TEST', discounts }])
  })

  it('gives only of what the one before it has left', () => {
    const [half, ten] = [
      couponOf({ discount: { percent: 50 } }),
      couponOf({ discount: { amount: eur(4000) } }),
    ]
    expect(applyCoupons([half, ten], { ...goods, lines: [lines[1]!] })).toMatchObject([
      { discounts: [2495] },
      { discounts: [2495] },
    ])
  })

  it.each([
    [
      'from later on',
      { validFrom: '2026-11-27T12:00:01Z' },
      'coupon-not-valid',
      'TEST is valid from 2026-11-27T12:00:01.000Z on.',
    ],
    [
      'until now',
      { validFrom: '2026-01-01T00:00:00Z', validUntil: '2026-11-27T12:00:00Z' },
      'coupon-not-valid',
      'TEST is no longer valid.',
    ],
    [
      'for dearer orders',
      { minimum: eur(6290) },
      'coupon-minimum',
      'TEST is for orders of 62.90 EUR or more, and this one is of 62.89 EUR.',
    ],
    ['for other products', { skus: ['SAW'] }, 'coupon-not-for-these', 'TEST is for none of these products.'],
    [
      'for another category',
      { categories: ['books'] },
      'coupon-not-for-these',
      'TEST is for none of these products.',
    ],
    [
      'in another currency',
      { discount: { amount: { amount: 1, currency: 'USD' } } },
      'coupon-not-for-these',
      'TEST is for orders in USD, and this one is in EUR.',
    ],
  ])('is refused if it is %s', (_, coupon, refused, detail) => {
    expect(applyCoupons([couponOf({}), couponOf(coupon)], goods)).toEqual({ refused, index: 1, detail })
  })

  it('is refused once it has ended', () => {
    expect(applyCoupons([{ ...couponOf({}), endedAt: now }], goods)).toMatchObject({
      refused: 'coupon-not-valid',
    })
  })

  it('is valid from its first moment, and for an order of just its minimum', () => {
    expect(
      applyCoupons([couponOf({ validFrom: now.toISOString(), minimum: eur(6289) })], goods),
    ).toHaveLength(1)
  })

  it('takes no more from any line than it costs, and just what it gives, whatever coupons there are', () => {
    const line = fc.record({
      sku: fc.constantFrom('A', 'B', 'C', 'D'),
      quantity: fc.integer({ min: 1, max: 50 }),
      unitPrice: fc.integer({ min: 0, max: 100_000 }),
    })
    const discount = fc.oneof(
      fc.record({ percent: fc.integer({ min: 1, max: 100 }) }),
      fc.integer({ min: 0, max: 500_000 }).map((amount) => ({ amount: eur(amount) })),
    )
    const coupon = fc
      .record({ discount, skus: fc.subarray(['A', 'B', 'C', 'D'], { minLength: 1 }) })
      .map((given) => couponOf(given))
    const some = fc.array(coupon, { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 30 }), some, (lines, coupons) => {
        const applied = applyCoupons(coupons, { ...goods, lines })
        if ('refused' in applied) return
        const left = lines.map(({ quantity, unitPrice }) => quantity * unitPrice)
        for (const [n, { discounts }] of applied.entries()) {
          const { skus, percent, amount } = coupons[n]!
          const eligible = left
            .filter((_, i) => skus.includes(lines[i]!.sku))
            .reduce((sum, one) => sum + one, 0)
          const given = discounts.reduce((sum, one) => sum + one, 0)
          expect(given).toBe(
            percent === null ? Math.min(amount!, eligible) : Math.floor((eligible * percent) / 100 + 0.5),
          )
          for (const [i, off] of discounts.entries()) {
            if (!skus.includes(lines[i]!.sku)) expect(off).toBe(0)
            expect(off).toBeGreaterThanOrEqual(0)
            expect(off).toBeLessThanOrEqual(left[i]!)
            left[i]! -= off
          }
        }
      }),
    )
  })

  it('is used up when it was redeemed as often as it may be, by all or by one user', () => {
    const coupon = { code: 'TEST', maxInAll: 3, maxPerUser: 1, redeemed: 2 }
    expect(usedUp(coupon, 0)).toBeUndefined()
    expect(usedUp({ ...coupon, redeemed: 3 }, 0)).toBe('TEST was redeemed as often as it can be.')
    expect(usedUp(coupon, 1)).toBe('You have redeemed TEST as often as you may, which is once.')
    expect(usedUp({ ...coupon, maxPerUser: 2 }, 2)).toContain('which is 2 times')
    expect(usedUp({ ...coupon, maxInAll: null, maxPerUser: null }, 99)).toBeUndefined()
  })
})

describe('a new coupon', () => {
  it.each([
    [{ code: 'a b' }, 'code'],
    [{ discount: { percent: 0 } }, 'discount'],
    [{ discount: { percent: 101 } }, 'discount'],
    [{ discount: { percent: 10, amount: eur(1) } }, 'discount'],
    [{ discount: {} }, 'discount'],
    [{ validUntil: '2026-01-01T00:00:00Z', validFrom: '2026-01-01T00:00:00Z' }, 'validUntil'],
    [{ discount: { amount: eur(1) }, minimum: { amount: 1, currency: 'USD' } }, 'minimum'],
    [{ maxInAll: 0 }, 'maxInAll'],
  ])('is refused with %j', (wrong, field) => {
    const { error } = NewCoupon.safeParse({ code: 'TEST', discount: { percent: 10 }, ...wrong })
    expect(error?.issues[0]?.path[0]).toBe(field)
  })

  it('is shown as it was given, its code and SKUs in upper case', () => {
    const given = { code: 'ten-off', discount: { amount: eur(1000) }, minimum: eur(5000), skus: ['mug'] }
    expect(toCoupon(couponOf(given))).toMatchObject({ ...given, code: 'TEN-OFF', skus: ['MUG'], redeemed: 0 })
  })
})

describe('a change of a coupon', () => {
  const coupon = couponOf({ validUntil: '2027-01-01T00:00:00Z', maxInAll: 5 })

  it('leaves what it does not name', () => {
    expect({ ...coupon, ...changed(coupon, { maxPerUser: 1 }) }).toEqual({ ...coupon, maxPerUser: 1 })
    expect(changed(coupon, { validUntil: null, maxInAll: null })).toMatchObject({
      validUntil: null,
      maxInAll: null,
    })
  })

  it('may not end it before it begins', () => {
    expect(changed(coupon, { validFrom: '2027-01-01T00:00:00Z' })).toBeUndefined()
    expect(changed(coupon, { validUntil: '2026-01-01T00:00:00Z' })).toBeUndefined()
  })
})
