import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  isEnded,
  missedBy,
  next,
  statuses,
  type Milestone,
  type OrderEvent,
  type OrderStatus,
} from './order.ts'
import type { Shortage } from './shortage.ts'

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
    const at = (milestone: Milestone) =>
      statuses.map((status) => missedBy({ status, shortage: null }, milestone, new Date()))
    expect(at('confirmation').map((reason) => reason !== undefined)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ])
    expect(at('shipment')).toEqual([
      undefined,
      undefined,
      'not shipped in time',
      undefined,
      undefined,
      undefined,
    ])
  })

  it('gives an order with a shortage more time, and says then what it has waited for', () => {
    const until = '2027-01-02T00:00:00.000Z'
    const shortage = (state: Shortage['state']) => ({ state, missing: [{ sku: 'MUG', quantity: 1 }], until })
    const at = (time: string, status: OrderStatus, state: Shortage['state']) =>
      missedBy({ status, shortage: shortage(state) }, 'confirmation', new Date(time))
    expect(at('2027-01-01T23:59:59.999Z', 'placed', 'undecided')).toBeUndefined()
    expect(at(until, 'placed', 'undecided')).toBe('not decided in time')
    expect(at(until, 'placed', 'backordered')).toBe('not enough stock in time')
    expect(at(until, 'reserved', 'backordered')).toBe('took too long')
    expect(at(until, 'reserved', 'dropped')).toBe('took too long')
    expect(at(until, 'confirmed', 'dropped')).toBeUndefined()
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
