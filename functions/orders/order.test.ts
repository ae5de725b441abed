import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isEnded, missedBy, next, priceLines, statuses, type OrderEvent, type OrderStatus } from './order.ts'

const events: OrderEvent[] = ['reserve', 'confirm', 'ship', 'complete', 'cancel', 'recall', 'expire']

/** Applies events and skips those that the status does not allow. */
const run = (happening: OrderEvent[]) =>
  happening.reduce<OrderStatus>((status, event) => next(status, event) ?? status, 'placed')

describe('the state machine', () => {
  it('completes an order if every step succeeds', () => {
    expect(run(['reserve', 'confirm', 'ship', 'complete'])).toBe('completed')
  })

  it('refuses to cancel a shipped order', () => {
    expect(next('shipped', 'cancel')).toBeUndefined()
  })

  it('recalls a shipped order whose payment cannot be captured', () => {
    expect(next('shipped', 'recall')).toBe('cancelled')
  })

  it('never leaves a final status', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events)), fc.constantFrom(...events), (before, after) => {
        const status = run(before)
        if (isEnded(status)) expect(next(status, after)).toBeUndefined()
      }),
    )
  })

  it('can end every open order, by a deadline or by what follows a shipment', () => {
    for (const status of statuses.filter((s) => !isEnded(s)))
      if (status === 'shipped') {
        expect(next(status, 'complete')).toBe('completed')
        expect(next(status, 'recall')).toBe('cancelled')
      } else expect(next(status, 'expire')).toBe('cancelled')
  })

  it('cancels at a deadline only the orders that have not reached its milestone', () => {
    expect(statuses.map((status) => missedBy(status, 'confirmation') !== undefined)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ])
    expect(statuses.map((status) => missedBy(status, 'shipment'))).toEqual([
      undefined,
      undefined,
      'not shipped in time',
      undefined,
      undefined,
      undefined,
    ])
  })

  it('ends every order once its deadline or the outcome of its payment arrives', () => {
    const outcome = fc.constantFrom<OrderEvent>('complete', 'recall')
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events)), outcome, (happening, outcome) => {
        const status = run([...happening, 'expire', outcome])
        expect(isEnded(status)).toBe(true)
      }),
    )
  })

  it('ships only confirmed orders', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events)), (happening) => {
        if (['shipped', 'completed'].includes(run(happening))) expect(happening).toContain('confirm')
      }),
    )
  })
})

describe('pricing', () => {
  const prices = new Map([
    ['MUG', { sku: 'MUG', name: 'Mug', priceAmount: 1250, currency: 'EUR' }],
    ['SAW', { sku: 'SAW', name: 'Saw', priceAmount: 3999, currency: 'EUR' }],
    ['CAP', { sku: 'CAP', name: 'Cap', priceAmount: 900, currency: 'USD' }],
    ['CAR', { sku: 'CAR', name: 'Car', priceAmount: 999_999_999, currency: 'EUR' }],
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
