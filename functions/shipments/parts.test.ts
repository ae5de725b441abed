import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { partOf, type Part } from './parts.ts'

const amount = fc.integer({ min: 0, max: 1_000_000_000 })
/** A line, and the sizes of the parcels in which it is shipped. */
const shipped = fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 20 }).chain((sizes) =>
  fc.record({
    sizes: fc.constant(sizes),
    line: fc
      .record({ discount: amount, net: amount, taxRate: fc.constantFrom(0, 700, 1900), tax: amount })
      .map((line) => ({
        ...line,
        gross: line.net + line.tax,
        quantity: sizes.reduce((sum, size) => sum + size, 0),
      })),
  }),
)

function partsOf(line: Part & { quantity: number }, sizes: readonly number[]): Part[] {
  let before = 0
  return sizes.map((size) => {
    const part = partOf(line, before, size)
    before += size
    return part
  })
}

describe('the parts of a line', () => {
  it('add up to it exactly, however it is divided', () => {
    fc.assert(
      fc.property(shipped, ({ line, sizes }) => {
        const parts = partsOf(line, sizes)
        for (const of of ['discount', 'net', 'tax', 'gross'] as const)
          expect(parts.reduce((sum, part) => sum + part[of], 0)).toBe(line[of])
        for (const { net, tax, gross, discount, taxRate } of parts) {
          expect(gross).toBe(net + tax)
          expect(taxRate).toBe(line.taxRate)
          expect(Math.min(net, tax, discount)).toBeGreaterThanOrEqual(0)
        }
      }),
    )
  })

  it('differ from their exact share by less than a minor unit', () => {
    fc.assert(
      fc.property(shipped, ({ line, sizes }) => {
        for (const [i, part] of partsOf(line, sizes).entries())
          expect(Math.abs(part.net - (line.net * sizes[i]!) / line.quantity)).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('share a cent so that the first half gets it', () => {
    const line = { quantity: 2, discount: 0, net: 101, taxRate: 1900, tax: 19, gross: 120 }
    expect(partsOf(line, [1, 1]).map(({ net, tax }) => [net, tax])).toEqual([
      [51, 10],
      [50, 9],
    ])
  })
})
