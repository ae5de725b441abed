import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { counts, next, type RedemptionEvent, type RedemptionState } from './redemption.ts'

const event = fc.constantFrom<RedemptionEvent>('place', 'cancel', 'expire')
const run = (events: readonly RedemptionEvent[]) =>
  events.reduce<RedemptionState>((state, event) => next(state, event) ?? state, 'held')

describe('a redemption', () => {
  it.each<[RedemptionEvent[], RedemptionState, counts: boolean]>([
    [['place'], 'confirmed', true],
    [['place', 'cancel'], 'returned', false],
    [['cancel', 'place'], 'returned', false],
    [['expire'], 'expired', false],
    [['place', 'expire'], 'confirmed', true],
    [['expire', 'place'], 'confirmed', true],
    [['expire', 'cancel'], 'returned', false],
  ])('becomes, after %j, %s', (events, state, does) => {
    expect(run(events)).toBe(state)
    expect(counts(state)).toBe(does)
  })

  it('counts if and only if its order was placed and not cancelled, in whatever order that is heard', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1 }), (events) => {
        const isPlaced = events.includes('place') && !events.includes('cancel')
        expect(counts(run(events))).toBe(isPlaced)
      }),
    )
  })
})
