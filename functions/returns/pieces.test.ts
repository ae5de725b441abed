import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withTax } from '../orders/pricing.ts'
import { costOf, mergeLines, receive, refusalOf, refundOf, taken } from './pieces.ts'
import { next, statuses, type BoughtLine, type ReturnRow } from './return.ts'

const line = fc
  .record({
    quantity: fc.integer({ min: 1, max: 10_000 }),
    amount: fc.integer({ min: 0, max: 1_000_000_000 }),
    taxRate: fc.constantFrom(0, 550, 700, 1900, 2500, 10_000),
    prices: fc.constantFrom('gross' as const, 'net' as const),
  })
  .map(({ quantity, amount, taxRate, prices }): BoughtLine => ({
    sku: 'A',
    quantity,
    ...withTax(amount, taxRate, prices),
  }))

const mugs: BoughtLine = { sku: 'MUG', quantity: 3, net: 1681, taxRate: 1900, tax: 319, gross: 2000 }
const returned = (status: ReturnRow['status'], quantity: number, more: Partial<ReturnRow> = {}) => ({
  status,
  items: [{ sku: 'MUG', quantity, reason: 'unwanted' as const, note: null }],
  received: null,
  ...more,
})

describe('what pieces cost', () => {
  it('is their part of what the line cost after discounts', () => {
    const costs = [0, 1, 2].map((before) => costOf(mugs, before, 1))
    expect(costs.map(({ gross }) => gross)).toEqual([667, 666, 667])
    expect(costs.map(({ tax }) => tax)).toEqual([106, 107, 106])
  })

  it('adds up to what the line cost, however many come back at a time', () => {
    fc.assert(
      fc.property(line, fc.array(fc.integer({ min: 1, max: 5_000 }), { maxLength: 20 }), (of, sizes) => {
        const sum = { net: 0, tax: 0, gross: 0 }
        let before = 0
        for (const size of [...sizes, of.quantity]) {
          const pieces = Math.min(size, of.quantity - before)
          if (pieces === 0) continue
          const cost = costOf(of, before, pieces)
          before += pieces
          expect(cost.net + cost.tax).toBe(cost.gross)
          for (const field of ['net', 'tax', 'gross'] as const) {
            expect(cost[field]).toBeGreaterThanOrEqual(0)
            sum[field] += cost[field]
          }
        }
        expect(sum).toEqual({ net: of.net, tax: of.tax, gross: of.gross })
      }),
    )
  })

  it('differs by no more than a minor unit from piece to piece', () => {
    fc.assert(
      fc.property(line, fc.nat(), (of, n) => {
        const { gross } = costOf(of, n % of.quantity, 1)
        expect(Math.abs(gross - of.gross / of.quantity)).toBeLessThanOrEqual(1)
      }),
    )
  })
})

describe('the lines of an order', () => {
  it('are one for each SKU', () => {
    const cheap = { ...mugs, quantity: 1, net: 84, tax: 16, gross: 100 }
    expect(mergeLines([mugs, { ...mugs, sku: 'SAW' }, cheap])).toEqual([
      { sku: 'MUG', quantity: 4, net: 1765, taxRate: 1900, tax: 335, gross: 2100 },
      { ...mugs, sku: 'SAW' },
    ])
  })
})

describe('a request', () => {
  const shippedAt = new Date('2026-03-01T12:00:00Z')
  const purchase = { lines: [mugs], shippedAt, cancelledAt: null }
  const within = { days: 30, now: new Date('2026-03-31T12:00:00Z') }
  const refused = (quantity: number, others: ReturnType<typeof returned>[] = [], more = {}, when = within) =>
    refusalOf([{ sku: 'MUG', quantity }], { ...purchase, ...more }, others, when)?.refused

  it('is for at most what was bought less what is in other returns', () => {
    expect(refused(3)).toBeUndefined()
    expect(refused(4)).toBe('too-many-pieces')
    expect(refused(2, [returned('requested', 1)])).toBeUndefined()
    expect(refused(2, [returned('approved', 2)])).toBe('too-many-pieces')
    expect(refused(3, [returned('refused', 3)])).toBeUndefined()
  })

  it('may be for what was announced before, but did not come', () => {
    const received = [{ ...mugs, quantity: 1, restock: true }]
    const earlier = returned('received', 3, { received })
    expect(taken('MUG', [earlier])).toBe(1)
    expect(refused(2, [earlier])).toBeUndefined()
    expect(refused(3, [earlier])).toBe('too-many-pieces')
  })

  it('is in time until the last moment of the last day', () => {
    expect(refused(1, [], {}, { days: 30, now: new Date('2026-03-31T12:00:00.001Z') })).toBe(
      'return-too-late',
    )
  })

  it('is for an order that was shipped and not cancelled, and for what is in it', () => {
    expect(refused(1, [], { shippedAt: null })).toBe('order-not-returnable')
    expect(refused(1, [], { cancelledAt: shippedAt })).toBe('order-not-returnable')
    expect(refused(1, [], { lines: null })).toBe('order-not-returnable')
    expect(refused(1, [], { lines: [{ ...mugs, sku: 'SAW' }] })).toBe('not-in-order')
  })
})

describe('a receipt', () => {
  const come = (quantity: number, restock = true) => ({ sku: 'MUG', quantity, restock })

  it('has what came back with what it cost, after what came back before', () => {
    const earlier = returned('received', 1, { received: [{ ...mugs, quantity: 1, restock: true }] })
    const pending = returned('approved', 1)
    const items = receive(
      { items: [come(1), come(1, false)] },
      returned('approved', 2),
      [mugs],
      [earlier, pending],
    )
    expect(items).toEqual([
      { ...come(1), ...costOf(mugs, 1, 1) },
      { ...come(1, false), ...costOf(mugs, 2, 1) },
    ])
    expect(refundOf(items as never)).toBe(1333)
  })

  it('has no more than was announced', () => {
    const items = [come(1), come(2)]
    expect(receive({ items }, returned('approved', 2), [mugs], [])).toEqual({
      index: 1,
      sku: 'MUG',
      announced: 2,
    })
  })
})

describe('a return', () => {
  it.each([
    ['approve', ['requested']],
    ['refuse', ['requested', 'approved']],
    ['receive', ['approved']],
  ] as const)('can be decided with %s only while it is %j', (event, from) => {
    expect(statuses.filter((status) => next(status, event) !== undefined)).toEqual(from)
  })
})
