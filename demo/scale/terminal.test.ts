import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { part, recording } from './example.ts'
import { coursesOf } from './recording.ts'
import { screen, sparkline, summary } from './terminal.ts'

const plain = (lines: string[]) => lines.map(stripVTControlCharacters)
const status = { phase: 'of 3 s', elapsed: 2.5 }

describe('a sparkline', () => {
  it('is as high as the number of pods, with a point for zero', () => {
    expect(sparkline([0, 1, 2, 4, 0], 10, 4)).toBe('·▂▄█·')
  })

  it('keeps the peaks if it is shortened', () => {
    expect(sparkline([0, 0, 4, 0, 0, 0, 0, 0], 4, 4)).toBe('·█··')
    expect(sparkline([0, 0, 4, 0], 2, 4)).toBe('··')
  })
})

describe('the courses of parts', () => {
  it('leave out parts that never ran, and start with those that scale on concurrency', () => {
    expect(coursesOf(recording().samples).map(({ name }) => name)).toEqual([
      'get-product',
      'gateway',
      'relay',
    ])
  })

  it('begin at zero if a part appeared later', () => {
    const samples = [
      { at: 0, parts: [] },
      { at: 1, parts: [part('late', { ready: 1, desired: 1 })] },
    ]
    expect(coursesOf(samples)[0]?.ready).toEqual([0, 1])
  })
})

describe('the screen', () => {
  it('has a line for each part', () => {
    const lines = plain(screen(recording(), status, { columns: 120, rows: 40 }))
    const line = lines.find((one) => one.includes('get-product'))
    expect(line).toContain('·▃▆▆·')
    expect(line).toMatch(/0\/0 +3 +12 ms +420 ms +400 ms$/)
    expect(lines.find((one) => one.includes('gateway'))).toMatch(/1\/1 +88 % CPU/)
  })

  it('shows how many requests failed and how many were not sent', () => {
    const [first] = plain(screen(recording(), status, { columns: 120, rows: 40 }))
    expect(first).toContain('3 sent · 1 failed · 1 not sent')
  })

  it('is never larger than the terminal', () => {
    const lines = plain(screen(recording(), status, { columns: 80, rows: 5 }))
    expect(lines).toHaveLength(5)
    expect(lines.at(-1)).toMatch(/^… and \d+ more lines$/)
  })
})

it('summarises what runs in one line if the output is not a terminal', () => {
  const { samples } = recording()
  const text = stripVTControlCharacters(summary(recording({ samples: samples.slice(0, 4) }), status))
  expect(text.split('\n')[1]).toBe('  get-product 2/2, gateway 1/1')
})
