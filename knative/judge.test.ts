import { describe, expect, it } from 'vitest'
import { count, judge, nothing, p99, type Seen } from './judge.ts'

const seen = (requests: number, failed: number, ms: number): Seen => ({
  requests,
  failed,
  durations: Array.from({ length: requests }, () => ms),
})

describe('a new revision', () => {
  it('is good if it neither fails more often nor is slower', () => {
    expect(judge(seen(1000, 5, 20), seen(50, 0, 25))).toEqual({ is: 'good' })
  })

  it('is unclear while it has few requests', () => {
    expect(judge(seen(1000, 0, 20), seen(29, 0, 20))).toEqual({
      is: 'unclear',
      why: 'it got 29 requests, and needs 30',
    })
    expect(judge(nothing(), nothing())).toMatchObject({ is: 'unclear' })
  })

  it('is failing as soon as more of its requests fail, even if there are few requests', () => {
    expect(judge(seen(1000, 0, 20), seen(5, 3, 20))).toEqual({
      is: 'failing',
      why: "60.0 % of its requests failed, against 0.0 % of the old one's",
    })
  })

  it('is good if the same share of requests fails in both revisions', () => {
    expect(judge(seen(1000, 100, 20), seen(100, 10, 20))).toEqual({ is: 'good' })
  })

  it('is slow if its p99 is above the limit', () => {
    expect(judge(seen(1000, 0, 20), seen(50, 0, 131))).toMatchObject({ is: 'slow' })
    expect(judge(seen(1000, 0, 20), seen(50, 0, 129))).toEqual({ is: 'good' })
  })
})

it('does not call a revision slow because of two slow requests', () => {
  const mostly = (slow: number) => ({
    ...seen(40, 0, 20),
    durations: Array.from({ length: 40 }, (_, n) => (n < slow ? 900 : 20)),
  })
  expect(judge(seen(1000, 0, 20), mostly(2))).toEqual({ is: 'good' })
  expect(judge(seen(1000, 0, 20), mostly(3))).toMatchObject({ is: 'slow' })
})

describe('the gateway’s log', () => {
  it('is counted by the revision that responded', () => {
    const found = new Map<string, Seen>()
    const line = (revision: string | undefined, status: number) =>
      JSON.stringify({
        msg: 'handled request',
        status,
        duration: 0.02,
        request: { method: 'GET', uri: '/ours?a=b' },
        resp_headers: revision === undefined ? {} : { 'X-Revision': [revision] },
      })
    for (const text of [
      line('a-1', 201),
      line('a-1', 503),
      line('a-2', 404),
      line(undefined, 502),
      'no JSON',
      '{}',
    ])
      count(text, found, { isOurs: () => true, suspect: undefined })
    expect([...found]).toEqual([
      ['a-1', { requests: 2, failed: 1, durations: [20, 20] }],
      ['a-2', { requests: 1, failed: 0, durations: [20] }],
    ])
  })

  it('counts failures without a revision for the new revision', () => {
    const found = new Map<string, Seen>()
    const isOurs = (method: string, path: string) => method === 'GET' && path.startsWith('/ours')
    for (const [uri, status] of [
      ['/ours', 502],
      ['/theirs', 502],
      ['/ours', 404],
    ] as const)
      count(JSON.stringify({ status, duration: 0.02, request: { method: 'GET', uri } }), found, {
        isOurs,
        suspect: 'a-2',
      })
    expect([...found]).toEqual([['a-2', { requests: 1, failed: 1, durations: [20] }]])
  })

  it('yields a p99, which is 0 without requests', () => {
    expect(p99({ requests: 200, failed: 0, durations: Array.from({ length: 200 }, (_, n) => n + 1) })).toBe(
      198,
    )
    expect(p99(nothing())).toBe(0)
  })
})
