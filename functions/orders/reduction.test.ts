import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { taxClasses } from '../shared/schemas/tax-class.ts'
import { priceKinds } from './price-kinds.ts'
import { goodsOf, piecesOf, priceOrder, type Price, type Priced } from './pricing.ts'
import { withoutMissing } from './reduction.ts'

const skus = ['BOOK', 'LAMP', 'PEN'] as const

/** A priced order, of which each SKU costs and is taxed as given, and whose coupons take shares off each line. */
const order = fc
  .record({
    prices: fc.constantFrom(...priceKinds),
    products: fc.tuple(
      ...skus.map(() =>
        fc.record({
          priceAmount: fc.integer({ min: 0, max: 9_999 }),
          taxClass: fc.constantFrom(...taxClasses),
        }),
      ),
    ),
    lines: fc.array(
      fc.record({
        sku: fc.constantFrom(...skus),
        quantity: fc.integer({ min: 1, max: 9 }),
        off: fc.double({ min: 0, max: 0.5, noNaN: true }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    coupons: fc.integer({ min: 0, max: 2 }),
    shipping: fc.integer({ min: 0, max: 900 }),
  })
  .map(({ prices, products, lines, coupons, shipping }): Priced => {
    const known = new Map<string, Price>(
      skus.map((sku, i) => [sku, { sku, name: sku, currency: 'EUR', weightGrams: 0, ...products[i]! }]),
    )
    const goods = goodsOf({ lines }, known)
    if ('refused' in goods) throw new Error(goods.detail)
    const discounts = Array.from({ length: coupons }, (_, n) => ({
      code: `COUPON${n}`,
      discounts: goods.lines.map(({ quantity, unitPrice }, i) =>
        Math.floor(quantity * unitPrice * lines[i]!.off),
      ),
    }))
    const method = {
      id: 'standard',
      name: 'Standard',
      basis: 'total' as const,
      currency: null,
      isDefault: true,
    }
    const terms = {
      prices,
      country: 'DE',
      day: '2026-11-27',
      rates: [
        { country: 'DE', taxClass: 'standard' as const, rate: 1900, validFrom: '2021-01-01' },
        { country: 'DE', taxClass: 'reduced' as const, rate: 700, validFrom: '2021-01-01' },
      ],
      shippingMethods: [{ ...method, steps: [{ upTo: null, amount: shipping }] }],
    }
    const priced = priceOrder({ lines }, goods, terms, discounts)
    if ('refused' in priced) throw new Error(priced.detail)
    return priced
  })

const sumOf = <T>(items: readonly T[], of: (item: T) => number) =>
  items.reduce((sum, item) => sum + of(item), 0)

const quantities = (lines: readonly { sku: string; quantity: number }[]) =>
  skus.map((sku) => piecesOf(lines.filter((line) => line.sku === sku)))

/** An order, and what is missing of it: never all. */
const withMissing = fc
  .tuple(order, fc.tuple(...skus.map(() => fc.double({ min: 0, max: 1, noNaN: true }))))
  .map(([priced, shares]) => {
    const ordered = quantities(priced.lines)
    const missing = skus.flatMap((sku, i) => {
      const quantity = Math.round(ordered[i]! * shares[i]!)
      return quantity > 0 ? [{ sku, quantity }] : []
    })
    return { priced, missing }
  })
  .filter(({ priced, missing }) => piecesOf(missing) < piecesOf(priced.lines))

describe('an order of which something is left out', () => {
  it('has the other pieces, and amounts that add up', () => {
    fc.assert(
      fc.property(withMissing, ({ priced, missing }) => {
        const { lines, amounts } = withoutMissing(priced, missing)
        const [before, less] = [quantities(priced.lines), quantities(missing)]
        expect(quantities(lines)).toEqual(before.map((quantity, i) => quantity - less[i]!))
        expect(lines.every(({ quantity }) => quantity > 0)).toBe(true)
        for (const { net, tax, gross, discount, quantity, unitPrice } of lines) {
          expect(net + tax).toBe(gross)
          expect(discount).toBeLessThanOrEqual(quantity * unitPrice)
        }
        const parts = [...lines, amounts.shipping]
        expect(amounts.gross).toBe(sumOf(parts, ({ gross }) => gross))
        expect(amounts.net + amounts.tax).toBe(amounts.gross)
        expect(sumOf(amounts.taxes, ({ tax }) => tax)).toBe(amounts.tax)
        expect(sumOf(amounts.coupons, ({ discount }) => discount)).toBe(amounts.discount)
        expect(amounts.discount).toBe(sumOf(lines, ({ discount }) => discount))
      }),
    )
  })

  it('costs no more than before, with the same shipping and the same rates', () => {
    fc.assert(
      fc.property(withMissing, ({ priced, missing }) => {
        const { lines, amounts } = withoutMissing(priced, missing)
        expect(amounts.gross).toBeLessThanOrEqual(priced.total.amount)
        expect(amounts.shipping).toEqual(priced.amounts.shipping)
        for (const { code, discount } of amounts.coupons)
          expect(discount).toBeLessThanOrEqual(
            priced.amounts.coupons.find((coupon) => coupon.code === code)!.discount,
          )
        const rates = new Map(priced.lines.map(({ sku, taxRate }) => [sku, taxRate]))
        expect(lines.every(({ sku, taxRate }) => taxRate === rates.get(sku))).toBe(true)
      }),
    )
  })

  it('is as it was if nothing is missing', () => {
    fc.assert(
      fc.property(order, ({ lines, amounts }) => {
        expect(withoutMissing({ lines, amounts }, [])).toEqual({ lines, amounts })
      }),
    )
  })

  it('loses the pieces of its last lines first', () => {
    const line = (quantity: number) => ({
      sku: 'PEN',
      name: 'Pen',
      quantity,
      unitPrice: 119,
      discount: 0,
      net: 100 * quantity,
      taxRate: 1900,
      tax: 19 * quantity,
      gross: 119 * quantity,
    })
    const shipping = { method: 'standard', name: 'Standard', net: 0, taxRate: 1900, tax: 0, gross: 0 }
    const amounts = {
      prices: 'gross' as const,
      discount: 0,
      net: 500,
      tax: 95,
      gross: 595,
      shipping,
      taxes: [],
      coupons: [],
    }
    const { lines } = withoutMissing({ lines: [line(2), line(3)], amounts }, [{ sku: 'PEN', quantity: 4 }])
    expect(lines).toEqual([line(1)])
  })

  it('is refused if it does not say how its total comes about', () => {
    expect(() =>
      withoutMissing({ lines: [{ sku: 'PEN', name: 'Pen', quantity: 2, unitPrice: 5 }], amounts: null }, []),
    ).toThrow('how its total comes about')
  })
})
