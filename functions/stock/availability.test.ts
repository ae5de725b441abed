import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { availabilityOf, crossing, type Availability } from './availability.ts'

describe('the availability of a SKU', () => {
  it('is low at its threshold and below, and unavailable if there is nothing', () => {
    expect([6, 5, 1, 0].map((available) => availabilityOf(available, 5))).toEqual([
      'available',
      'low',
      'low',
      'unavailable',
    ])
  })

  it('is never low with a threshold of 0', () => {
    expect([1, 0].map((available) => availabilityOf(available, 0))).toEqual(['available', 'unavailable'])
  })
})

describe('crossing a boundary', () => {
  const steps = fc.array(
    fc.record({ available: fc.nat(20), threshold: fc.option(fc.nat(12), { nil: undefined }) }),
    { maxLength: 40 },
  )

  /** Returns what is announced for each step. */
  function* announcements(changes: readonly { available: number; threshold?: number | undefined }[]) {
    let announced: Availability = 'unavailable'
    let threshold = 5
    for (const change of changes) {
      threshold = change.threshold ?? threshold
      const crossed = crossing(announced, change.available, threshold)
      yield { ...crossed, announced, available: change.available, threshold }
      announced = crossed.availability
    }
  }

  it('is announced if and only if the availability differs from what was announced last', () => {
    fc.assert(
      fc.property(steps, (changes) => {
        for (const { announced, availability, isChanged, available, threshold } of announcements(changes)) {
          expect(availability).toBe(availabilityOf(available, threshold))
          expect(isChanged).toBe(availability !== announced)
        }
      }),
    )
  })

  it('makes a SKU low once, until more than the threshold are available again', () => {
    fc.assert(
      fc.property(steps, (changes) => {
        let isAbove = false
        for (const { isLow, available, threshold } of announcements(changes)) {
          expect(isLow).toBe(isAbove && available <= threshold)
          isAbove = available > threshold
        }
      }),
    )
  })
})
