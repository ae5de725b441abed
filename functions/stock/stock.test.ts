import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  adjust,
  commit,
  fill,
  mergeLines,
  NewAdjustment,
  release,
  reserve,
  reserveSome,
  type Account,
  type Line,
} from './stock.ts'

const account = (sku: string, available: number): Account => ({
  sku,
  available,
  reserved: 0,
  sold: 0,
  received: available,
})

const fits = (quantity: number, reason: string) => NewAdjustment.safeParse({ quantity, reason }).success
const sum = (values: number[]) => values.reduce((a, b) => a + b, 0)

describe('merging lines', () => {
  it('adds up lines with the same SKU and sorts by SKU', () => {
    const lines = [
      { sku: 'B', quantity: 2 },
      { sku: 'A', quantity: 1 },
      { sku: 'B', quantity: 3 },
    ]
    expect(mergeLines(lines)).toEqual([
      { sku: 'A', quantity: 1 },
      { sku: 'B', quantity: 5 },
    ])
  })
})

describe('reserving', () => {
  it('takes every line from the available stock', () => {
    const { accounts, shortages } = reserve([account('A', 5), account('B', 1)], [{ sku: 'A', quantity: 5 }])
    expect(shortages).toEqual([])
    expect(accounts).toEqual([{ sku: 'A', available: 0, reserved: 5, sold: 0, received: 5 }])
  })

  it('takes nothing if a line is too large, and returns the shortages', () => {
    const lines = [
      { sku: 'A', quantity: 1 },
      { sku: 'B', quantity: 3 },
      { sku: 'unknown', quantity: 1 },
    ]
    expect(reserve([account('A', 5), account('B', 2)], lines)).toEqual({
      accounts: [],
      shortages: [
        { sku: 'B', requested: 3, available: 2 },
        { sku: 'unknown', requested: 1, available: 0 },
      ],
    })
  })
})

describe('reserving what is there, and filling backorders', () => {
  const skus = ['A', 'B', 'C']
  const accounts = fc.tuple(...skus.map((sku) => fc.nat(9).map((available) => account(sku, available))))
  const lines = fc
    .array(fc.record({ sku: fc.constantFrom(...skus), quantity: fc.integer({ min: 1, max: 9 }) }))
    .map(mergeLines)
  /** Returns the accounts after some of them have changed. */
  const after = (before: Account[], changed: Account[]) =>
    before.map((one) => changed.find(({ sku }) => sku === one.sku) ?? one)

  it('reserves no more than is there, and tells all that is missing', () => {
    fc.assert(
      fc.property(accounts, lines, (before, lines) => {
        const { accounts: changed, reserved, shortages } = reserveSome(before, lines)
        for (const { sku, quantity } of lines) {
          const available = before.find((one) => one.sku === sku)!.available
          const got = reserved.find((one) => one.sku === sku)?.quantity ?? 0
          expect(got).toBe(Math.min(available, quantity))
          const short = shortages.find((one) => one.sku === sku)
          expect(short).toEqual(got < quantity ? { sku, requested: quantity, available: got } : undefined)
        }
        for (const one of after(before, changed)) {
          expect(one.available).toBeGreaterThanOrEqual(0)
          expect(one.available + one.reserved).toBe(one.received)
        }
      }),
    )
  })

  it('serves those that come first, with all that is there and no more', () => {
    const waiting = fc
      .array(lines, { maxLength: 5 })
      .map((orders) =>
        orders.flatMap((lines, i) => lines.map((line) => ({ ...line, orderId: `order ${i}` }))),
      )
    fc.assert(
      fc.property(accounts, waiting, (before, waiting) => {
        const { accounts: changed, filled } = fill(before, waiting)
        for (const one of after(before, changed)) {
          const wanted = waiting.filter(({ sku }) => sku === one.sku)
          const got = filled.filter(({ sku }) => sku === one.sku)
          const given = sum(got.map(({ quantity }) => quantity))
          expect(given).toBe(Math.min(one.received, sum(wanted.map(({ quantity }) => quantity))))
          expect([one.available, one.reserved]).toEqual([one.received - given, given])
          // all but the last who gets some get all, and nobody before the last gets nothing
          expect(got.slice(0, -1)).toEqual(wanted.slice(0, Math.max(0, got.length - 1)))
        }
      }),
    )
  })
})

describe('adjusting', () => {
  it('receives and writes off', () => {
    expect(adjust(account('A', 5), 3)).toMatchObject({ available: 8, received: 8 })
    expect(adjust(account('A', 5), -5)).toMatchObject({ available: 0, received: 0 })
  })

  it('writes off no more than is available', () => {
    expect(adjust({ ...account('A', 5), reserved: 3, received: 8 }, -6)).toBeUndefined()
  })

  it('requires a reason that matches the sign', () => {
    expect([fits(1, 'received'), fits(-1, 'damaged'), fits(-1, 'lost')]).toEqual([true, true, true])
    expect([fits(1, 'correction'), fits(-1, 'correction'), fits(-1, 'returned')]).toEqual([true, true, true])
    expect([fits(-1, 'received'), fits(1, 'damaged'), fits(1, 'lost')]).toEqual([false, false, false])
  })
})

describe('random orders and adjustments', () => {
  const sku = fc.constantFrom('A', 'B', 'C')
  const lines = fc.array(fc.record({ sku, quantity: fc.integer({ min: 1, max: 9 }) }), {
    minLength: 1,
    maxLength: 5,
  })
  const step = fc.oneof(
    fc.record({ do: fc.constant('adjust' as const), sku, quantity: fc.integer({ min: -20, max: 20 }) }),
    fc.record({ do: fc.constant('reserve' as const), lines }),
    fc.record({ do: fc.constantFrom('release' as const, 'commit' as const), order: fc.nat(20) }),
  )

  it('never make stock negative, lose it or create it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const accounts = new Map(['A', 'B', 'C'].map((sku) => [sku, account(sku, 10)]))
        const open: Line[][] = []
        let received = 30
        const save = (changed: readonly Account[]) => {
          for (const one of changed) accounts.set(one.sku, one)
        }
        const of = (lines: readonly Line[]) => lines.map(({ sku }) => accounts.get(sku)!)
        for (const step of steps)
          if (step.do === 'adjust') {
            const adjusted = adjust(accounts.get(step.sku)!, step.quantity)
            if (adjusted !== undefined) received += step.quantity
            save(adjusted === undefined ? [] : [adjusted])
          } else if (step.do === 'reserve') {
            const merged = mergeLines(step.lines)
            const reserved = reserve(of(merged), merged)
            save(reserved.accounts)
            if (reserved.shortages.length === 0) open.push(merged)
          } else {
            const [lines] = open.splice(step.order % Math.max(open.length, 1), 1)
            if (lines !== undefined) save((step.do === 'release' ? release : commit)(of(lines), lines))
          }

        const all = [...accounts.values()]
        for (const { available, reserved, sold, received } of all) {
          expect(Math.min(available, reserved, sold, received)).toBeGreaterThanOrEqual(0)
          expect(available + reserved + sold).toBe(received)
        }
        expect(sum(all.map((a) => a.received))).toBe(received)
        expect(sum(all.map((a) => a.reserved))).toBe(sum(open.flat().map((line) => line.quantity)))
      }),
      { numRuns: 300 },
    )
  })
})
