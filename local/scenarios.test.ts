import { describe, expect, it } from 'vitest'
import { arrivals, factorAt, peakOf, scenarios } from './scenarios.ts'
import { seeded } from '../demo/scale/seeded.ts'

describe('the course of a load', () => {
  it('follows the line between two points', () => {
    const points = [
      [0, 1],
      [0.5, 1],
      [1, 3],
    ] as const
    expect([0, 0.25, 0.5, 0.75, 1].map((share) => factorAt({ points }, share))).toEqual([1, 1, 1, 2, 3])
  })

  it('jumps if two points have the same time', () => {
    const { spike } = scenarios
    expect(factorAt(spike, 0)).toBe(20)
    expect(factorAt(spike, 0.399)).toBe(20)
    expect(factorAt(spike, 0.4)).toBe(1)
  })

  it('has ten times the usual load on Black Friday', () => {
    expect(peakOf(scenarios['black-friday'])).toBe(10 * peakOf(scenarios.usual))
  })

  it('begins at 0 and ends at 1 in every scenario', () => {
    for (const { points } of Object.values(scenarios)) {
      expect(points[0][0]).toBe(0)
      expect(points.at(-1)![0]).toBe(1)
    }
  })
})

describe('arrivals', () => {
  it('are in order, within the duration, and as many as the rate requires', () => {
    const due = arrivals(scenarios.usual, 50, 200, seeded(1))
    expect(due).toEqual(due.toSorted((a, b) => a - b))
    expect(due.at(-1)).toBeLessThan(200_000)
    expect(due.length / 10_000).toBeCloseTo(1, 1)
  })

  it('are ten times as frequent while the load is ten times as high', () => {
    const due = arrivals(scenarios['black-friday'], 50, 1000, seeded(2))
    const between = (from: number, to: number) =>
      due.filter((at) => at >= from * 1000 && at < to * 1000).length / (to - from)
    expect(between(300, 800) / between(0, 150)).toBeCloseTo(10, 0)
  })

  it('are irregular, like those of people', () => {
    const due = arrivals(scenarios.usual, 10, 1000, seeded(3))
    const gaps = due.slice(1).map((at, n) => at - due[n]!)
    // in a Poisson process, a share of 1/e of the gaps is longer than the mean
    expect(gaps.filter((gap) => gap > 100).length / gaps.length).toBeCloseTo(1 / Math.E, 1)
  })
})
