import { describe, expect, it } from 'vitest'
import type { Sent } from './load.ts'
import { bySecond, formatClock, formatMs, inFlightAt, slowestDuring, smooth } from './numbers.ts'

const sent = (at: number, ms: number, status: number | undefined = 200, name = 'get-product'): Sent => ({
  at,
  ms,
  status,
  name,
})

describe('the seconds of a load', () => {
  it('contain the requests that were due in them, however late the responses were', () => {
    const requests = [
      sent(10, 5000),
      sent(20, 10),
      sent(900, 20, 503),
      { ...sent(2100, 7), status: undefined },
    ]
    expect(bySecond(requests, [2500], 3)).toEqual([
      { due: 3, good: 2, failed: 1, unsent: 0, p50: 20, p90: 5000, p99: 5000 },
      { due: 0, good: 0, failed: 0, unsent: 0, p50: undefined, p90: undefined, p99: undefined },
      { due: 2, good: 0, failed: 1, unsent: 1, p50: 7, p90: 7, p99: 7 },
    ])
  })
})

describe('requests in flight', () => {
  it('are those that were due and have no response yet', () => {
    expect(inFlightAt([0, 1, 2, 3], [sent(0, 1500), sent(500, 2000), sent(2900, 10)])).toEqual([1, 2, 1, 0])
  })
})

describe('the slowest request of a cold start', () => {
  const start = { name: 'get-product', at: 11_000, ms: 800, fromZero: true }

  it('is the slowest that waited for it', () => {
    const requests = [
      sent(100, 200),
      sent(990, 850),
      sent(1500, 320),
      sent(2000, 9000),
      sent(1200, 7000, 200, 'log-in'),
    ]
    expect(slowestDuring(start, requests, 10_000)).toBe(850)
  })

  it('is unknown if none waited, as for a reaction', () => {
    expect(slowestDuring(start, [], 10_000)).toBeUndefined()
  })
})

it('smooths random jitter and keeps a constant rate as it is', () => {
  expect(smooth([4, 4, 4, 4])).toEqual([4, 4, 4, 4])
  expect(smooth([0, 0, 5, 0, 0])[2]).toBe(1)
})

it('formats times for people', () => {
  expect([0.4, 12.3, 999.6, 1250, 12_345, undefined].map(formatMs)).toEqual([
    '0 ms',
    '12 ms',
    '1.0 s',
    '1.3 s',
    '12 s',
    '–',
  ])
  expect([-3, 5, 65.9].map(formatClock)).toEqual(['0:00', '0:05', '1:05'])
})
