import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { taxClasses } from '../shared/schemas/tax-class.ts'
import { priceKinds } from './price-kinds.ts'
import {
  goodsOf,
  priceOrder,
  withTax,
  type Discount,
  type Price,
  type Priced,
  type Terms,
  type Wanted,
} from './pricing.ts'
import type { ShippingMethodRow, TaxRate } from './tariff.ts'

const eur = (sku: string, name: string, priceAmount: number, more: Partial<Price> = {}): [string, Price] => [
  sku,
  { sku, name, priceAmount, currency: 'EUR', weightGrams: 0, taxClass: 'standard', ...more },
]

const rates: TaxRate[] = [
  { country: 'DE', taxClass: 'standard', rate: 1900, validFrom: '2021-01-01' },
  { country: 'DE', taxClass: 'reduced', rate: 700, validFrom: '2021-01-01' },
  { country: 'FR', taxClass: 'standard', rate: 2000, validFrom: '2014-01-01' },
  { country: 'FR', taxClass: 'reduced', rate: 550, validFrom: '2014-01-01' },
]

const free: ShippingMethodRow = {
  id: 'standard',
  name: 'Standard',
  basis: 'total',
  currency: null,
  steps: [{ upTo: null, amount: 0 }],
  isDefault: true,
}
const parcel: ShippingMethodRow = {
  id: 'parcel',
  name: 'Parcel',
  basis: 'weight',
  currency: 'EUR',
  steps: [{ upTo: 2000, amount: 490 }],
  isDefault: false,
}

const terms: Terms = {
  prices: 'gross',
  country: 'DE',
  day: '2026-11-27',
  rates,
  shippingMethods: [free, parcel],
}

/** Prices an order like create-order does. */
function priceLines(
  wanted: Wanted,
  prices: ReadonlyMap<string, Price>,
  more: Partial<Terms> = {},
  discounts: Discount[] = [],
) {
  const goods = goodsOf(wanted, prices)
  return 'refused' in goods ? goods : priceOrder(wanted, goods, { ...terms, ...more }, discounts)
}

/** @throws if the order is rejected */
function priced(...args: Parameters<typeof priceLines>): Priced {
  const result = priceLines(...args)
  if ('refused' in result) throw new Error(result.detail)
  return result
}

describe('pricing', () => {
  const prices = new Map([
    eur('MUG', 'Mug', 1250),
    eur('SAW', 'Saw', 3999),
    eur('CAP', 'Cap', 900, { currency: 'USD' }),
    eur('CAR', 'Car', 999_999_999),
  ])

  it('adds up the lines in minor units', () => {
    expect(
      priceLines(
        {
          lines: [
            { sku: 'MUG', quantity: 2 },
            { sku: 'SAW', quantity: 1 },
          ],
        },
        prices,
      ),
    ).toMatchObject({
      total: { amount: 6499, currency: 'EUR' },
    })
  })

  it('does not depend on how a quantity is split over lines', () => {
    const quantity = fc.integer({ min: 1, max: 5_000 })
    fc.assert(
      fc.property(quantity, quantity, (a, b) => {
        const one = priceLines({ lines: [{ sku: 'MUG', quantity: a + b }] }, prices)
        const two = priceLines(
          {
            lines: [
              { sku: 'MUG', quantity: a },
              { sku: 'MUG', quantity: b },
            ],
          },
          prices,
        )
        expect(two).toHaveProperty('total', (one as { total: object }).total)
      }),
    )
  })

  it.each([
    ['a SKU that the shop does not have', [{ sku: 'NONE', quantity: 1 }], 'unknown-sku', '/body/lines/0/sku'],
    [
      'two currencies',
      [
        { sku: 'MUG', quantity: 1 },
        { sku: 'CAP', quantity: 1 },
      ],
      'mixed-currencies',
      '/body/lines/1/sku',
    ],
    ['a total beyond what an amount holds', [{ sku: 'CAR', quantity: 2 }], 'order-too-large', '/body/lines'],
  ])('rejects %s', (_, lines, refused, pointer) => {
    expect(priceLines({ lines }, prices)).toMatchObject({ refused, errors: [{ pointer }] })
  })

  const lines = [
    { sku: 'MUG', quantity: 2, unitPrice: 1250 },
    { sku: 'SAW', quantity: 1 },
  ]
  const total = { amount: 6499, currency: 'EUR' }

  it('accepts an order that costs what the customer expects', () => {
    expect(priceLines({ lines, expectedTotal: total }, prices)).toMatchObject({ total })
  })

  it.each([
    [
      'dearer',
      { lines: [{ sku: 'MUG', quantity: 2, unitPrice: 1249 }, lines[1]!] },
      '/body/lines/0/unitPrice',
    ],
    [
      'cheaper',
      { lines: [{ sku: 'MUG', quantity: 2, unitPrice: 1251 }, lines[1]!] },
      '/body/lines/0/unitPrice',
    ],
    [
      'not free',
      { lines: [{ sku: 'MUG', quantity: 2, unitPrice: 0 }, lines[1]!] },
      '/body/lines/0/unitPrice',
    ],
    ['of another total', { lines, expectedTotal: { ...total, amount: 6500 } }, '/body/expectedTotal'],
    ['in another currency', { lines, expectedTotal: { ...total, currency: 'USD' } }, '/body/expectedTotal'],
  ])('refuses an order that is %s and returns the current prices', (_, wanted, pointer) => {
    expect(priceLines(wanted, prices)).toEqual({
      refused: 'price-changed',
      detail: 'The order would cost 64.99 EUR. Show the customer the current prices and send those.',
      errors: [{ pointer, detail: expect.stringMatching(/(?:12\.50|64\.99) EUR now$/) }],
      current: {
        lines: [
          { sku: 'MUG', unitPrice: 1250 },
          { sku: 'SAW', unitPrice: 3999 },
        ],
        total,
      },
    })
  })
})

// the worked examples of docs/domains/orders.md
describe('a worked example', () => {
  const shelf = new Map([
    eur('BOOK', 'Book', 1299, { taxClass: 'reduced', weightGrams: 600 }),
    eur('LAMP', 'Lamp', 4990, { weightGrams: 1200 }),
    eur('SALT', 'Salt', 10, { taxClass: 'zero', weightGrams: 100 }),
    eur('PEN', 'Pen', 5),
  ])

  it('1: prices that include tax', () => {
    const lines = [
      { sku: 'BOOK', quantity: 1 },
      { sku: 'LAMP', quantity: 1 },
    ]
    expect(priced({ lines, shippingMethod: 'parcel' }, shelf)).toEqual({
      lines: [
        // 1299 × 7 / 107 = 84.98…
        {
          sku: 'BOOK',
          name: 'Book',
          quantity: 1,
          unitPrice: 1299,
          discount: 0,
          net: 1214,
          taxRate: 700,
          tax: 85,
          gross: 1299,
        },
        // 4990 × 19 / 119 = 796.72…
        {
          sku: 'LAMP',
          name: 'Lamp',
          quantity: 1,
          unitPrice: 4990,
          discount: 0,
          net: 4193,
          taxRate: 1900,
          tax: 797,
          gross: 4990,
        },
      ],
      amounts: {
        prices: 'gross',
        discount: 0,
        net: 1214 + 4193 + 412,
        tax: 85 + 797 + 78,
        gross: 1299 + 4990 + 490,
        // 490 × 19 / 119 = 78.23…
        shipping: { method: 'parcel', name: 'Parcel', net: 412, taxRate: 1900, tax: 78, gross: 490 },
        taxes: [
          { taxRate: 1900, net: 4193 + 412, tax: 797 + 78 },
          { taxRate: 700, net: 1214, tax: 85 },
        ],
        coupons: [],
      },
      total: { amount: 6779, currency: 'EUR' },
    })
  })

  it('2: prices without tax', () => {
    const lines = [
      { sku: 'BOOK', quantity: 2 },
      { sku: 'SALT', quantity: 3 },
    ]
    const { lines: found, amounts, total } = priced({ lines }, shelf, { prices: 'net', country: 'FR' })
    // 2598 × 5.5 % = 142.89
    expect(found).toMatchObject([
      { net: 2598, taxRate: 550, tax: 143, gross: 2741 },
      { net: 30, taxRate: 0, tax: 0, gross: 30 },
    ])
    expect(amounts).toMatchObject({ net: 2628, tax: 143, gross: 2771 })
    expect(total.amount).toBe(2771)
  })

  it('3: a coupon', () => {
    const lines = [
      { sku: 'BOOK', quantity: 1 },
      { sku: 'LAMP', quantity: 1 },
    ]
    const discounts = [{ code: 'TEN-OFF', discounts: [207, 793] }]
    const { lines: found, amounts } = priced({ lines }, shelf, {}, discounts)
    // 1092 × 7 / 107 = 71.43…, 4197 × 19 / 119 = 670.10…
    expect(found).toMatchObject([
      { discount: 207, net: 1021, tax: 71, gross: 1092 },
      { discount: 793, net: 3527, tax: 670, gross: 4197 },
    ])
    expect(amounts).toMatchObject({
      discount: 1000,
      gross: 5289,
      coupons: [{ code: 'TEN-OFF', discount: 1000 }],
    })
  })

  it('4: half a cent is rounded up', () => {
    const half = [{ country: 'DE', taxClass: 'standard' as const, rate: 1000, validFrom: '2021-01-01' }]
    const lines = [{ sku: 'PEN', quantity: 1 }]
    expect(priced({ lines }, shelf, { prices: 'net', rates: half }).amounts).toMatchObject({
      net: 5,
      tax: 1,
      gross: 6,
    })
  })

  it('5: each line is rounded on its own', () => {
    // 3 × 0.95 would be 2.85
    const lines = Array.from({ length: 3 }, () => ({ sku: 'PEN', quantity: 1 }))
    expect(priced({ lines }, shelf, { prices: 'net' }).amounts).toMatchObject({ net: 15, tax: 3, gross: 18 })
  })

  it('6: delivery to a country without rates', () => {
    const lines = [{ sku: 'LAMP', quantity: 1 }]
    expect(priced({ lines }, shelf, { country: 'US' }).amounts).toMatchObject({
      net: 4990,
      tax: 0,
      gross: 4990,
      taxes: [{ taxRate: 0, net: 4990, tax: 0 }],
    })
  })
})

describe('shipping', () => {
  const shelf = new Map([
    eur('LAMP', 'Lamp', 4990, { weightGrams: 1200 }),
    eur('CAP', 'Cap', 900, { currency: 'USD' }),
  ])
  it.each([
    [
      { shippingMethod: 'drone' },
      'LAMP',
      1,
      'unknown-shipping-method',
      'There is no shipping method drone. ',
    ],
    [{ shippingMethod: 'parcel' }, 'LAMP', 2, 'shipping-not-available', 'Parcel does not take 2400 g.'],
    [
      { shippingMethod: 'parcel' },
      'CAP',
      1,
      'shipping-not-available',
      'Parcel is for orders in EUR, and this one is in USD.',
    ],
  ])('is refused with %j for %s × %i', (wanted, sku, quantity, refused, detail) => {
    expect(priceLines({ ...wanted, lines: [{ sku, quantity }] }, shelf)).toMatchObject({
      refused,
      detail: expect.stringContaining(detail),
      errors: [{ pointer: '/body/shippingMethod' }],
    })
  })

  it('must be chosen if there is no default', () => {
    const refused = priceLines({ lines: [{ sku: 'LAMP', quantity: 1 }] }, shelf, {
      shippingMethods: [parcel],
    })
    expect(refused).toMatchObject({ refused: 'unknown-shipping-method' })
  })

  it('counts in the largest total', () => {
    const dear = new Map([eur('CAR', 'Car', 1_000_000_000)])
    const wanted = { lines: [{ sku: 'CAR', quantity: 1 }] }
    expect(priceLines({ ...wanted, shippingMethod: 'parcel' }, dear)).toMatchObject({
      refused: 'order-too-large',
    })
    expect(priceLines(wanted, dear)).toMatchObject({ total: { amount: 1_000_000_000 } })
  })
})

describe('the amounts of any order', () => {
  const line = fc.record({
    price: fc.integer({ min: 0, max: 300_000 }),
    quantity: fc.integer({ min: 1, max: 30 }),
    taxClass: fc.constantFrom(...taxClasses),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  const order = fc.record({
    lines: fc.array(line, { minLength: 1, maxLength: 20 }),
    kind: fc.constantFrom(...priceKinds),
    standard: fc.integer({ min: 0, max: 10_000 }),
    reduced: fc.integer({ min: 0, max: 10_000 }),
    shipping: fc.integer({ min: 0, max: 10_000 }),
  })
  const sum = (of: readonly number[]) => of.reduce((total, one) => total + one, 0)

  it('agree: gross is net and tax, the whole is its parts, and nothing is negative', () => {
    fc.assert(
      fc.property(order, ({ lines, kind, standard, reduced, shipping }) => {
        const shelf = new Map(
          lines.map(({ price, taxClass }, i) => eur(`SKU-${i}`, 'Thing', price, { taxClass })),
        )
        const wanted = { lines: lines.map(({ quantity }, i) => ({ sku: `SKU-${i}`, quantity })) }
        const off = lines.map(({ price, quantity, share }) => Math.floor(price * quantity * share))
        const more: Partial<Terms> = {
          prices: kind,
          shippingMethods: [{ ...free, steps: [{ upTo: null, amount: shipping }] }],
          rates: [
            { country: 'DE', taxClass: 'standard', rate: standard, validFrom: '2021-01-01' },
            { country: 'DE', taxClass: 'reduced', rate: reduced, validFrom: '2021-01-01' },
          ],
        }
        const { lines: found, amounts, total } = priced(wanted, shelf, more, [{ code: 'A', discounts: off }])
        const parts = [...found, amounts.shipping]
        for (const { net, tax, gross } of parts) {
          expect(gross).toBe(net + tax)
          expect(Math.min(net, tax, gross)).toBeGreaterThanOrEqual(0)
        }
        for (const { quantity, unitPrice, discount, net, gross } of found)
          expect(quantity * unitPrice - discount).toBe(kind === 'gross' ? gross : net)
        expect(amounts.gross).toBe(amounts.net + amounts.tax)
        expect(amounts.gross).toBe(sum(parts.map(({ gross }) => gross)))
        expect(amounts.net).toBe(sum(amounts.taxes.map(({ net }) => net)))
        expect(amounts.tax).toBe(sum(amounts.taxes.map(({ tax }) => tax)))
        expect(amounts.discount).toBe(sum(off))
        expect(total.amount).toBe(amounts.gross)
      }),
    )
  })

  it('have a tax that is exact to half a unit, however large', () => {
    const amount = fc.integer({ min: 0, max: 1_000_000_000 })
    const rate = fc.integer({ min: 0, max: 10_000 })
    fc.assert(
      fc.property(amount, rate, fc.constantFrom(...priceKinds), (amount, taxRate, kind) => {
        const { tax } = withTax(amount, taxRate, kind)
        const [dividend, divisor] = [
          BigInt(amount) * BigInt(taxRate),
          10_000n + (kind === 'gross' ? BigInt(taxRate) : 0n),
        ]
        // 2 × |tax − exact| ≤ 1, and a half is rounded up
        const twice = 2n * (BigInt(tax) * divisor - dividend)
        expect(twice <= divisor && twice > -divisor).toBe(true)
      }),
    )
  })
})
