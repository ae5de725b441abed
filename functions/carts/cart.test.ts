import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  hasExpired,
  keptMs,
  maxLines,
  mergeLines,
  newCart,
  recentAttempts,
  tagOf,
  toCart,
  withLine,
  withoutOrdered,
  type Line,
  type Product,
} from './cart.ts'

const eur = (amount: number) => ({ amount, currency: 'EUR' })
const line = (sku: string, quantity = 1, price = eur(900)): Line => ({ sku, quantity, price })
const product = (sku: string, price = eur(900), isGone = false): [string, Product] => [
  sku,
  { _id: sku, name: `The ${sku}`, price, version: 1, isGone },
]
const now = new Date('2026-05-01T12:00:00Z')

const anySku = fc.constantFrom('A', 'B', 'C', 'D', 'E')
const anyQuantity = fc.integer({ min: 1, max: 10_000 })
/** The lines of a cart: each SKU once. */
const anyLines = fc
  .uniqueArray(fc.record({ sku: anySku, quantity: anyQuantity }), {
    selector: (one) => one.sku,
  })
  .map((some) => some.map((one) => line(one.sku, one.quantity)))
const quantities = (of: readonly Line[]) => new Map(of.map((one) => [one.sku, one.quantity]))

describe('a cart', () => {
  it('shows today’s prices, and points out which have changed and what is gone', () => {
    const cart = { lines: [line('MUG', 2), line('SAW', 1), line('CAP', 3)], updatedAt: now }
    const products = new Map([product('MUG'), product('SAW', eur(1000)), product('CAP', eur(900), true)])
    expect(toCart(cart, products)).toEqual({
      lines: [
        {
          sku: 'MUG',
          name: 'The MUG',
          quantity: 2,
          unitPrice: eur(900),
          priceWhenAdded: eur(900),
          notice: null,
        },
        {
          sku: 'SAW',
          name: 'The SAW',
          quantity: 1,
          unitPrice: eur(1000),
          priceWhenAdded: eur(900),
          notice: 'price-changed',
        },
        {
          sku: 'CAP',
          name: 'The CAP',
          quantity: 3,
          unitPrice: null,
          priceWhenAdded: eur(900),
          notice: 'gone',
        },
      ],
      pieces: 6,
      subtotal: eur(2800),
      expiresAt: '2026-05-31T12:00:00.000Z',
    })
  })

  it('has no subtotal if it is empty, or has several currencies', () => {
    const dollars = { amount: 900, currency: 'USD' }
    const products = new Map([product('MUG'), product('CAP', dollars)])
    const mixed = { lines: [line('MUG'), line('CAP', 1, dollars)], updatedAt: now }
    expect(toCart(mixed, products).subtotal).toBeNull()
    expect(toCart(null, products)).toEqual({ lines: [], pieces: 0, subtotal: null, expiresAt: null })
  })

  it('has another tag with another price', () => {
    const cart = { lines: [line('MUG')], updatedAt: now }
    const tags = [eur(900), eur(901)].map((price) => tagOf(toCart(cart, new Map([product('MUG', price)]))))
    expect(new Set(tags).size).toBe(2)
    for (const tag of tags) expect(String(tag)).toMatch(/^\d{1,15}$/)
  })

  it('expires 30 days after its last change', () => {
    expect(hasExpired({ updatedAt: now }, new Date(now.getTime() + keptMs - 1))).toBe(false)
    expect(hasExpired({ updatedAt: now }, new Date(now.getTime() + keptMs))).toBe(true)
  })

  it('is looked at when it may have expired', () => {
    const { deadlineId, outbox } = newCart('01999d3c-7b57-7d0c-8d1c-5a9f1c2b3d4e', {}, now)
    expect(outbox).toMatchObject([{ at: new Date(now.getTime() + keptMs), data: { deadlineId } }])
  })
})

describe('a line that is set', () => {
  it('replaces that of the same product, in its place', () => {
    const some = [line('MUG'), line('SAW')]
    expect(withLine(some, line('MUG', 5))).toEqual([line('MUG', 5), line('SAW')])
    expect(withLine(some, line('CAP'))).toEqual([...some, line('CAP')])
  })

  it('may be one of 100', () => {
    const full = Array.from({ length: maxLines }, (_, n) => line(`SKU-${n}`))
    expect(withLine(full, line('ONE-MORE'))).toBeUndefined()
    expect(withLine(full, line('SKU-7', 2))).toHaveLength(maxLines)
  })
})

describe('merging', () => {
  it('adds the quantities, up to what is available and to the largest', () => {
    const available = new Map([
      ['SAW', 5],
      ['CAP', 1],
    ])
    const own = [line('MUG', 2), line('SAW', 3), line('CAP', 2), line('BOX', 9_000)]
    const guests = [line('MUG', 1), line('SAW', 4), line('CAP', 3), line('BOX', 9_000), line('PEN', 7)]
    expect([...quantities(mergeLines(own, guests, available))]).toEqual([
      ['MUG', 3],
      ['SAW', 5],
      // there are fewer than the guest had, who is told so when ordering
      ['CAP', 3],
      ['BOX', 10_000],
      ['PEN', 7],
    ])
  })

  it('takes the newer price that was seen', () => {
    expect(mergeLines([line('MUG', 1, eur(800))], [line('MUG')], new Map())).toEqual([line('MUG', 2)])
  })

  it('keeps the user’s own lines if there would be too many', () => {
    const own = Array.from({ length: maxLines }, (_, n) => line(`SKU-${n}`))
    expect(mergeLines(own, [line('SKU-1', 2), line('ONE-MORE')], new Map())).toEqual(
      own.with(1, line('SKU-1', 3)),
    )
  })

  it('loses nothing, has each product once, and never exceeds the sum', () => {
    fc.assert(
      fc.property(anyLines, anyLines, fc.dictionary(anySku, fc.nat(10_000)), (own, guests, stock) => {
        const merged = mergeLines(own, guests, new Map(Object.entries(stock)))
        const [mine, theirs, result] = [own, guests, merged].map(quantities)
        expect(result!.size).toBe(merged.length)
        for (const sku of [...mine!.keys(), ...theirs!.keys()]) {
          const [one, other] = [mine!.get(sku) ?? 0, theirs!.get(sku) ?? 0]
          expect(result!.get(sku)).toBeGreaterThanOrEqual(Math.max(one, other))
          expect(result!.get(sku)).toBeLessThanOrEqual(Math.min(one + other, 10_000))
        }
      }),
    )
  })
})

describe('what was ordered', () => {
  it('leaves the cart; what was added meanwhile stays', () => {
    const ordered = [
      { sku: 'MUG', quantity: 2 },
      { sku: 'SAW', quantity: 1 },
    ]
    expect(withoutOrdered([line('MUG', 3), line('SAW', 1), line('CAP')], ordered)).toEqual([
      line('MUG', 1),
      line('CAP'),
    ])
  })

  it('is everything, if nothing was added', () => {
    fc.assert(
      fc.property(anyLines, (some) => {
        expect(withoutOrdered(some, some)).toEqual([])
      }),
    )
  })
})

describe('the attempts to check out', () => {
  it('are kept for a day, and only the latest', () => {
    const attempt = (n: number, at: Date) => ({
      key: `key-${n}`,
      hash: '',
      orderKey: '',
      at,
      cartId: '',
      lines: [],
    })
    const hour = (hours: number) => new Date(now.getTime() + hours * 60 * 60 * 1000)
    const attempts = [attempt(0, hour(0)), attempt(1, hour(1)), attempt(2, hour(2))]
    expect(recentAttempts({ attempts }, hour(1)).map(({ key }) => key)).toEqual(['key-1', 'key-2'])
    const many = Array.from({ length: 40 }, (_, n) => attempt(n, now))
    expect(recentAttempts({ attempts: many }, now).map(({ key }) => key)).toEqual(
      many.slice(-19).map(({ key }) => key),
    )
    expect(recentAttempts({}, now)).toEqual([])
  })
})
