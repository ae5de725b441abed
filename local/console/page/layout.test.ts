import { describe, expect, it } from 'vitest'
import { tableFor } from '../table.ts'
import { layOut } from './layout.ts'

const { functions, events } = tableFor(60, false)

describe.each([320, 900, 1400])('the map of events on a page of %i pixels', (width) => {
  const map = layOut(functions, events, width)

  it('has every event, and every function that emits or handles one', () => {
    expect(map.events.map(({ name }) => name).toSorted()).toEqual(events.map(({ type }) => type).toSorted())
    const taking = functions.filter(({ emits, on }) => emits.length + on.length > 0)
    expect(map.functions.map(({ name }) => name).toSorted()).toEqual(
      taking.map(({ name }) => name).toSorted(),
    )
  })

  it('has a line for each event that a reaction takes, and for each that a function emits', () => {
    const count = (of: (row: (typeof functions)[number]) => readonly string[]) => functions.flatMap(of).length
    expect([map.deliveries.length, map.emits.length]).toEqual([
      count(({ on }) => on),
      count(({ emits }) => emits),
    ])
  })

  it('lets no two boxes overlap, and none leave its domain', () => {
    const boxes = [...map.functions, ...map.events]
    for (const a of boxes)
      for (const b of boxes)
        expect(
          a === b ||
            a.x + a.width <= b.x ||
            b.x + b.width <= a.x ||
            a.y + a.height <= b.y ||
            b.y + b.height <= a.y,
        ).toBe(true)
    for (const box of boxes)
      expect(
        map.domains.some(
          ({ x, y, width, height }) =>
            box.x > x && box.x + box.width < x + width && box.y > y && box.y + box.height < y + height,
        ),
      ).toBe(true)
    expect(Math.max(...map.domains.map(({ y, height }) => y + height))).toBe(map.height)
  })

  it('is no wider than the page, unless it has one column only', () => {
    const columns = new Set(map.domains.map(({ x }) => x)).size
    expect(columns === 1 || map.width <= width).toBe(true)
  })
})
